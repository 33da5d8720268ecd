"""The command itself, with the shipped starter as target and as its own draft."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from benchmarks.draft_acceptance import cli, llama
from gpu_worker.engines.llama_api import Model
from gpu_worker.models import resolve

CODE = '''import os


def size(path):
    """Bytes of a file."""
    total = os.stat(path).st_size
    return total


def sizes(paths):
    found = []
    for path in paths:
        found.append(size(path))
    return found
'''


@pytest.fixture
def held_out(tmp_path: Path) -> Path:
    path = tmp_path / "held_out.jsonl"
    path.write_text(json.dumps({"package": "one", "path": "one/a.py", "language": "python", "text": CODE}) + "\n")
    return path


def run(held_out: Path, *arguments: str) -> int:
    counts = ["--count", "3", "--multi-count", "1", "--held-out", str(held_out)]
    return cli.main([*counts, "--json", str(held_out.parent / "figures.json"), *arguments])


def test_the_starter_accepts_its_own_proposals(held_out: Path) -> None:
    assert run(held_out, "--draft", "starter") == 0
    figures = json.loads((held_out.parent / "figures.json").read_text())
    # Not 1: a batch of five sums in another order than five batches of one, which may move a near tie.
    assert figures["overall"]["of_proposed"]["value"] > 0.9
    assert figures["tokens_per_target_step"]["value"] > 2
    assert figures["settings"]["case_study_acceptance"] == 0.82


def test_a_draft_that_is_no_model_is_one_sentence(held_out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(held_out, "--draft", str(held_out)) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_without_held_out_files_the_command_says_how_to_make_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "absent.jsonl", "--draft", "starter") == 2
    assert "python -m training.corpus" in capsys.readouterr().err


def test_the_likeliest_tokens_are_the_same_after_forgetting_as_before() -> None:
    starter = resolve("starter")
    with llama.loaded(starter, starter, threads=1) as pair:
        target = pair.target
        first = target.begin(target.model.tokenize("def size(path):\n"))
        answers = target.follow([first])
        target.follow([answers[-1]])
        target.keep(0)
        assert target.follow([first]) == answers


@dataclass
class FakeVocabulary:
    """What of a model decides whether two share a tokenizer."""

    pieces: tuple[bytes, ...] = (b"a", b"b", b"")
    end_tokens: frozenset[int] = frozenset({2})
    fim: None = None
    bos: int | None = None

    @property
    def vocabulary_size(self) -> int:
        return len(self.pieces)

    def piece(self, token: int) -> bytes:
        return self.pieces[token]


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (FakeVocabulary(), ""),
        (FakeVocabulary(pieces=(b"a", b"b")), "one has 3 tokens, the other 2"),
        (FakeVocabulary(pieces=(b"a", b"c", b"")), "token 1 is b'b' in one and b'c' in the other"),
        (FakeVocabulary(end_tokens=frozenset({1})), "their control tokens differ"),
    ],
)
def test_models_share_a_tokenizer_only_if_every_token_is_the_same(other: FakeVocabulary, difference: str) -> None:
    assert llama.tokenizers_differ(cast(Model, FakeVocabulary()), cast(Model, other)) == difference
