"""What the model is trained on is what the worker sends it."""

from __future__ import annotations

import random

import pytest

from gpu_worker.fim import FimTokens
from gpu_worker.prompt import PromptBuilder
from training import samples, settings
from training import tokenizer as vocabulary
from wire_protocol.frames import Context, Snippet

CONFIG = settings.load()
LAYOUT = samples.Layout(vocabulary.load(CONFIG.path(CONFIG.tokenizer["file"])))
CODE = "import os\n\n\ndef size(path):\n    total = os.stat(path).st_size\n    return total\n\n\nprint(size('a'))\n"


class StarterVocabulary:
    """The worker's view of the starter's tokenizer."""

    bos = None
    fim = FimTokens(
        prefix=LAYOUT.special[vocabulary.FIM_PREFIX],
        suffix=LAYOUT.special[vocabulary.FIM_SUFFIX],
        middle=LAYOUT.special[vocabulary.FIM_MIDDLE],
        separator=LAYOUT.special[vocabulary.FILE_SEPARATOR],
    )

    def tokenize(self, text: str) -> list[int]:
        return LAYOUT.ids(text)

    def ends_line(self, token: int) -> bool:
        return LAYOUT.tokenizer.decode([token]).endswith("\n")


@pytest.mark.parametrize("snippets", [(), (("a/b.py", "def b():\n    pass\n"), ("a/c.py", "C = 1\n"))])
@pytest.mark.parametrize("seed", range(20))
def test_a_training_sample_begins_with_the_prompt_of_the_worker(
    seed: int, snippets: tuple[tuple[str, str], ...]
) -> None:
    options = {**CONFIG.samples, "suffix_first": 0.0, "path": 1.0}
    sample = samples.cut(CODE, "a/size.py", options, random.Random(seed), snippets)
    assert sample is not None
    pairs = LAYOUT.fill(sample, room=1000, after_share=0.3)
    assert pairs is not None
    ids = [token for token, _ in pairs]
    context = Context(
        path="a/size.py",
        before=sample.before,
        typed=sample.typed,
        after=sample.after,
        snippets=[Snippet(path=path, text=text) for path, text in snippets],
    )
    expected = PromptBuilder(StarterVocabulary(), CONFIG.train["context"]).build(context, 64).tokens
    assert ids[: len(expected)] == expected
    assert LAYOUT.tokenizer.decode(ids[len(expected) :], skip_special_tokens=False) == f"{sample.middle}<|endoftext|>"
