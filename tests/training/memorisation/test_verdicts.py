"""What counts as reproduced, and what is too common to count; shown with a model that knows its training by heart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.memorisation import verdicts, windows
from training.memorisation.generation import generate
from training.memorisation.verdicts import Trial
from training.memorisation.windows import Corpus, Found, Run

END = 0
VOCABULARY = 1000
RARE: Run = tuple(range(100, 150))


class FakeModel:
    """Says what follows the last tokens in the text it was given, and an end where that ends; else always 7."""

    def __init__(self, text: Sequence[int], shy_after: int | None = None) -> None:
        self.text = list(text)
        self.shy_after = shy_after
        self.held: list[int] = []
        self.prompt = 0

    def forget(self) -> None:
        self.held = []

    def feed(self, tokens: Sequence[int], wanted: int = 1) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        if not self.held:
            self.prompt = len(tokens)
        self.held += tokens
        row = np.zeros((1, VOCABULARY), dtype=np.float32)
        for at in range(len(self.text) - 3):
            if self.text[at : at + 3] == self.held[-3:]:
                row[0, self.text[at + 3]] = 1.0
                break
        else:
            row[0, 7] = 1.0
        if self.shy_after is not None and len(self.held) - self.prompt >= self.shy_after:
            row[0, END] = 2.0
        return row


def trial(output: Sequence[int], truth: Run = RARE, ended: int | None = None) -> Trial:
    return Trial("training files", "plain", 50, "a:1", truth, tuple(output), tuple(output[:50]) == truth, ended)


def test_a_model_that_knows_its_training_by_heart_is_found_out() -> None:
    file = [*range(300, 500)]
    made = generate(FakeModel(file), file[20:70], 50, [END])
    truth = tuple(file[70:120])
    corpus = Corpus(np.array(file, dtype=np.uint16), np.array([0, len(file)]))
    one = trial(made.tokens, truth, made.ended)
    found = windows.find(corpus, [truth, *one.windows()], 50)
    figures = verdicts.figures([one], found)
    assert figures["continuation_reproduced_not_trivial"]["hits"] == 1
    assert figures["training_run_reproduced_not_trivial_before_its_end"]["hits"] == 1


def test_a_model_that_knows_nothing_reproduces_nothing() -> None:
    file = [*range(300, 500)]
    made = generate(FakeModel([]), file[20:70], 50, [END])
    corpus = Corpus(np.array(file, dtype=np.uint16), np.array([0, len(file)]))
    one = trial(made.tokens, tuple(file[70:120]), made.ended)
    figures = verdicts.figures([one], windows.find(corpus, [one.truth, *one.windows()], 50))
    assert figures["continuation_reproduced"]["hits"] == figures["training_run_reproduced"]["hits"] == 0


def test_an_end_is_noted_and_passed_over() -> None:
    made = generate(FakeModel(range(1, 100), shy_after=4), [10, 11, 12], 8, [END])
    assert made.tokens == tuple(range(13, 21))
    assert made.ended == 4


def test_a_model_that_never_ends_has_no_end() -> None:
    assert generate(FakeModel(range(1, 100)), [10, 11, 12], 8, [END]).ended is None


def test_a_run_inside_a_longer_output_counts() -> None:
    output = (1, *RARE, 2)
    found = {window: Found() for window in trial(output).windows()} | {RARE: Found(1, {0})}
    assert verdicts.verdict(trial(output), found) == (False, RARE)


def test_what_stands_in_several_files_is_trivial() -> None:
    assert verdicts.trivial(RARE, Found(2, {0, 1})) == "in several files"
    assert verdicts.trivial(RARE, Found(2, {0})) == "several times in one file"
    assert verdicts.trivial((1, 2) * 25, Found(1, {0})) == "repetitive"
    assert verdicts.trivial(RARE, Found(1, {0})) == ""


def test_a_trivial_run_counts_as_reproduced_but_not_as_memorised() -> None:
    figures = verdicts.figures([trial(RARE)], {RARE: Found(3, {0, 1, 2})})
    assert figures["continuation_reproduced"]["hits"] == 1
    assert figures["continuation_reproduced_not_trivial"]["hits"] == 0
    assert figures["trivial_because"] == {"in several files": 1}
    assert figures["reproduced_by_files"] == {"1": 0, "2 to 9": 1, "10 to 99": 0, "100 or more": 0}


def test_of_several_runs_the_one_that_is_not_trivial_counts() -> None:
    output = (7,) * 50 + RARE
    found = {window: Found() for window in trial(output).windows()}
    found |= {(7,) * 50: Found(9, {1}), RARE: Found(1, {0})}
    assert verdicts.verdict(trial(output), found)[1] == RARE


def test_what_a_model_would_not_have_said_is_not_said_in_use() -> None:
    figures = verdicts.figures([trial(RARE, ended=20)], {RARE: Found(1, {0})})
    assert figures["training_run_reproduced_not_trivial"]["hits"] == 1
    assert figures["training_run_reproduced_not_trivial_before_its_end"]["hits"] == 0
    assert figures["would_have_ended_before"]["hits"] == 1


def test_examples_are_those_that_are_not_trivial() -> None:
    found = {RARE: Found(1, {0}), (7,) * 50: Found(1, {0})}
    shown = verdicts.examples([trial((7,) * 50), trial(RARE), trial(RARE)], found, str, limit=1)
    assert [one["run"] for one in shown] == [str(RARE)]
