"""The simulated typist."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.quality import typist
from benchmarks.quality.answers import Answer
from benchmarks.quality.typist import Typed, fill, keys, pause_points
from wire_protocol.frames import Context, Lines

START = Context(before="above\n", typed="    x", after="\n")


class FakeModel:
    """Says what a function of the text typed since the cursor says; remembers what it was asked."""

    def __init__(self, says: Callable[[str], str]) -> None:
        self.says = says
        self.asked: list[str] = []

    async def __call__(self, context: Context, lines: Lines) -> Answer:
        assert (context.before, context.after) == (START.before, START.after)
        done = context.typed.removeprefix(START.typed)
        self.asked.append(done)
        return Answer(self.says(done))


def typed(truth: str, says: Callable[[str], str], lines: Lines = "single", asks: int = 8) -> tuple[Typed, list[str]]:
    model = FakeModel(says)
    return asyncio.run(fill(START, truth, lines, model, asks)), model.asked


def test_a_right_suggestion_costs_one_key() -> None:
    found, asked = typed("foo(a, b)", lambda done: "foo(a, b)  ")
    assert (found.keys, found.pressed, found.accepted, asked) == (9, 1, 1, [""])


def test_a_suggestion_that_ends_early_is_accepted_and_the_next_is_asked_for_at_once() -> None:
    found, asked = typed("foo(a, b)", {"": "foo(", "foo(": "a, b)"}.__getitem__)
    assert (found.pressed, asked) == (2, ["", "foo("])


def test_a_suggestion_that_is_right_at_first_and_wrong_later_saves_nothing() -> None:
    found, asked = typed("foo(a)", lambda done: "foo(a, b)" if not done else "")
    assert (found.pressed, found.accepted, asked) == (6, 0, ["", "foo("])


def test_a_silent_model_is_asked_at_every_pause_point() -> None:
    found, asked = typed("a.b(c, d)", lambda done: "")
    assert (found.keys, found.pressed, found.saved) == (9, 9, 0)
    assert asked == ["", "a.", "a.b(", "a.b(c, "]


def test_no_more_is_asked_than_allowed() -> None:
    found, asked = typed("a.b.c.d", lambda done: "", asks=2)
    assert (len(asked), found.asked, found.pressed) == (2, 2, 7)


def test_a_block_is_asked_for_at_the_start_of_each_line() -> None:
    found, asked = typed("\n    one()\n\n        two", lambda done: "two" if done.endswith("  ") else "no", "multi")
    assert asked == ["", "\n    ", "\n    one()\n\n        "]
    assert (found.keys, found.pressed) == (1 + 5 + 1 + 3, 1 + 5 + 1 + 1)


def test_the_first_answer_is_kept_for_the_other_measures() -> None:
    found, _ = typed("ab.c", lambda done: "first" if not done else "c")
    assert found.first == Answer("first")


@pytest.mark.parametrize(("text", "expected"), [("", 0), ("abc", 3), ("a\n    b", 3), ("a\n\n\t b\n", 4)])
def test_a_line_break_with_its_indentation_is_one_key(text: str, expected: int) -> None:
    assert keys(text) == expected


@pytest.mark.parametrize(
    ("truth", "lines", "points"),
    [
        ("a, b", "single", [3]),
        ("a", "single", []),
        ('f("x")', "single", [2, 3, 5]),
        ("a\n  b\nc", "multi", [4, 6]),
        ("a, b", "multi", []),
    ],
)
def test_where_a_person_pauses(truth: str, lines: Lines, points: list[int]) -> None:
    assert pause_points(truth, lines) == points


CODE = st.text(st.sampled_from("ab.( \n"), min_size=1, max_size=30).map(str.rstrip).filter(bool)


@given(CODE, st.sampled_from(["single", "multi"]), st.integers(1, 6), st.data())
def test_what_is_pressed_is_what_was_not_suggested_and_a_key_for_each_acceptance(
    truth: str, lines: Lines, asks: int, data: st.DataObject
) -> None:
    accepted = []

    def says(done: str) -> str:
        rest = truth[len(done) :]
        text = rest[: data.draw(st.integers(0, len(rest)))] + data.draw(st.sampled_from(["", "!"]))
        if typist.right_up_to_its_end(text, rest):
            accepted.append(text.rstrip())
        return text

    found, asked = typed(truth, says, lines, asks)
    saved = sum(len(text) for text in accepted)
    if "\n" not in truth:
        assert found.pressed == len(truth) - saved + len(accepted)
    assert (found.accepted, found.asked) == (len(accepted), len(asked))
    assert len(asked) <= asks
    assert found.saved <= found.keys
    assert all(truth.startswith(done) for done in asked)
    assert asked == sorted(set(asked), key=len)
