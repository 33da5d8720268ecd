"""What the edge's policy scenes play: arrivals, and edits above a hole that leave the hole itself alone."""

from __future__ import annotations

import random

import pytest

from benchmarks.client.traces import Source
from benchmarks.edge.live_overload import arrivals
from benchmarks.edge.near_match import ABOVE_LINES, EDITS, edited, pauses

LINES = [f"    step_{number}(total, {number})" for number in range(ABOVE_LINES + 2)]
HEAD = "def work(values):\n    total = sum(values)\n" + "\n".join(LINES) + "\n    return "
HOLE = "total / len(values)"
SOURCE = Source("work.py", "python", f"{HEAD}{HOLE}\n")


def test_arrivals_come_at_the_rate_and_the_same_for_each_order() -> None:
    times = arrivals(200.0, 30.0, seed=3)
    assert len(times) == pytest.approx(6_000, rel=0.05)
    assert times == sorted(times)
    assert times == arrivals(200.0, 30.0, seed=3)


@pytest.mark.parametrize("edit", [edit for edit in EDITS if edit != "rename"])
def test_an_edit_changes_what_is_above_the_hole_and_not_the_hole(edit: str) -> None:
    changed = edited(SOURCE, len(HEAD), len(HOLE), edit, random.Random(1))
    assert changed is not None
    text, start, end = changed
    assert (text == SOURCE.text) is (edit == "none")
    assert (text[start:end], text[end:]) == (HOLE, "\n")


def test_a_rename_reaches_the_hole_and_no_longer_name() -> None:
    changed = edited(SOURCE, len(HEAD), len(HOLE), "rename", random.Random(1))
    assert changed is not None
    text, start, end = changed
    assert text[start:end] in {"total_two / len(values)", "total / len(values_two)"}
    assert "step_1(" in text


def test_requests_go_out_at_the_ends_of_words() -> None:
    at = [SOURCE.text[len(HEAD) : cursor] for cursor in pauses(SOURCE.text, len(HEAD), len(HEAD) + len(HOLE))]
    assert at == ["", "total", "total / len", "total / len("]
