"""The stand-in for a model says what comes next in the finished text, and errs where it is told to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.client.oracle import Oracle, tokens_of, wrong
from benchmarks.client.person import Habits
from benchmarks.client.traces import Hole, Trace

HEAD = "import os\n\n\ndef first(values):\n    "
WANTED = "total = sum(values)\n    if total:\n        return total\n    return None"
REST = "\n\n\ndef second():\n    pass\n"
TRACE = Trace("t", "a.py", "python", HEAD + WANTED + REST, (Hole(len(HEAD), WANTED),), Habits(), 3)


@pytest.mark.parametrize(
    ("typed", "line"),
    [("tot", "al = sum(values)"), ("total = sum(values)", "\n    if total:"), (WANTED, ""), ("zzz", "")],
)
def test_it_answers_the_rest_of_the_line(typed: str, line: str) -> None:
    assert Oracle(TRACE, wrong=False).answer(HEAD + typed, "single") == line


def test_it_answers_a_block_up_to_what_is_shallower() -> None:
    opened = HEAD + WANTED[: WANTED.index(":") + 1]
    assert Oracle(TRACE, wrong=False).answer(opened, "multi") == "\n        return total"


def test_it_knows_the_place_by_the_end_of_what_is_sent() -> None:
    oracle = Oracle(TRACE, wrong=False)
    assert oracle.place_of((HEAD + "total")[-20:]) == len(HEAD) + 5
    assert oracle.place_of("something else entirely") is None


def test_the_wrong_oracle_is_right_up_to_its_place_and_wrong_from_there() -> None:
    right, errs = Oracle(TRACE, wrong=False), Oracle(TRACE, wrong=True)
    differing = 0
    for at in range(len(WANTED)):
        truth, answer = (each.answer(HEAD + WANTED[:at], "single") for each in (right, errs))
        common = next((n for n, pair in enumerate(zip(truth, answer, strict=False)) if pair[0] != pair[1]), None)
        if common is not None:
            differing += 1
            assert not WANTED[at:].startswith(answer[: common + 1])
    assert differing > len(WANTED) // 2


@given(st.text(max_size=60))
def test_tokens_joined_give_the_text(text: str) -> None:
    assert "".join(tokens_of(text)) == text


@given(st.text("abcXYZ019 ()", min_size=1, max_size=30))
def test_a_wrong_text_differs_from_its_first_character_on(text: str) -> None:
    assert wrong(text)[0] != text[0]
