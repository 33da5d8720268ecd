"""What the model is trained and measured on is what the worker sends it."""

from __future__ import annotations

import random

import pytest

from gpu_worker.fim import FimTokens
from gpu_worker.prompt import PromptBuilder
from training import evaluate, samples, settings
from training import tokenizer as vocabulary
from wire_protocol.frames import Context

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


def workers_prompt(path: str, before: str, typed: str, after: str) -> list[int]:
    builder = PromptBuilder(StarterVocabulary(), CONFIG.train["context"])
    return builder.build(Context(path=path, before=before, typed=typed, after=after), 64).tokens


@pytest.mark.parametrize("seed", range(40))
def test_a_training_sample_begins_with_the_prompt_of_the_worker(seed: int) -> None:
    options = {**CONFIG.samples, "suffix_first": 0.0, "path": 1.0}
    sample = samples.cut(CODE, "a/size.py", options, random.Random(seed))
    assert sample is not None
    pairs = LAYOUT.fill(sample, room=1000, after_share=0.3)
    assert pairs is not None
    ids = [token for token, _ in pairs]
    expected = workers_prompt("a/size.py", sample.before, sample.typed, sample.after)
    assert ids[: len(expected)] == expected
    assert LAYOUT.tokenizer.decode(ids[len(expected) :], skip_special_tokens=False) == f"{sample.middle}<|endoftext|>"


def test_the_evaluation_asks_as_the_worker_does() -> None:
    for case in evaluate.draw_cases([{"package": "p", "path": "p/a.py", "text": CODE}], 40, seed=3):
        assert evaluate.prompt(LAYOUT, case) == workers_prompt(case.path, case.before, case.typed, case.after)
