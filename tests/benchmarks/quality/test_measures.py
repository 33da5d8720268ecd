"""Judging one answer, and summing many up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from benchmarks.quality import measures
from benchmarks.quality.answers import Answer
from benchmarks.quality.cursors import Cursor
from benchmarks.quality.held_out import Record
from benchmarks.quality.measures import Judged, advantage, judge, summed_up, tidy, where_it_ends
from benchmarks.quality.typist import Typed


def judged(answer: str, marked: str = "x = f([a)]\n", language: str = "python", reason: str = "stop") -> Judged:
    """One answer in text in which `[` and `]` stand around the hole."""
    head, rest = marked.split("[")
    truth, tail = rest.split("]")
    record = Record("p", "p.py", language, head + truth + tail)
    cursor = Cursor("single", "in word", record, head.rfind("\n") + 1, len(head), len(head + truth), 1)
    first = Answer(answer, "length" if reason == "length" else "stop", -0.5, 3)
    return judge(cursor, Typed(len(truth), 1, 1, 1, first))


@pytest.mark.parametrize(
    ("answer", "exact", "right", "end"),
    [
        ("a)", True, True, "there"),
        ("a)  ", True, True, "there"),
        ("a", False, True, "early"),
        ("a) + 1", False, False, "late"),
        ("b)", False, False, "disagrees"),
        ("", False, False, "disagrees"),
        ("  ", False, False, "disagrees"),
    ],
)
def test_an_answer_is_judged_by_what_stood_there(answer: str, exact: bool, right: bool, end: str) -> None:
    found = judged(answer)
    assert (found.exact, found.right, found.end) == (exact, right, end)


def test_blanks_at_line_ends_are_nothing() -> None:
    assert tidy("  a  \n\t\nb\n\n") == "  a\n\nb"


@pytest.mark.parametrize(
    ("answer", "language", "parses"),
    [
        ("a)", "python", True),
        ("b + c)", "python", True),
        ("a", "python", False),
        ("", "python", False),
        ("a)", "markdown", None),
    ],
)
def test_the_file_is_parsed_with_the_answer_in_it(answer: str, language: str, parses: bool | None) -> None:
    assert judged(answer, language=language).parses is parses


def test_a_file_that_never_parsed_is_not_asked_about() -> None:
    assert judged("a)", "x = = f([a)]\n").parses is None


def distance(one: str, other: str) -> int:
    """Levenshtein's distance, as Wagner and Fischer compute it."""
    row = list(range(len(other) + 1))
    for at, character in enumerate(one, 1):
        before, row[0] = row[0], at
        for column, counterpart in enumerate(other, 1):
            cost = min(row[column] + 1, row[column - 1] + 1, before + (character != counterpart))
            before, row[column] = row[column], cost
    return row[-1]


@given(st.text("ab\n", max_size=12), st.text("ab\n", max_size=12))
def test_edit_similarity_is_levenshteins_distance_over_the_longer_length(one: str, other: str) -> None:
    longest = max(len(one), len(other))
    expected = 1 - distance(one, other) / longest if longest else 1.0
    assert Levenshtein.normalized_similarity(one, other) == pytest.approx(expected)


@given(st.text("ab ", max_size=6), st.text("ab ", min_size=1, max_size=6))
def test_an_answer_ends_somewhere_only_if_it_agrees(answer: str, truth: str) -> None:
    agrees = all(one == other for one, other in zip(answer, truth, strict=False)) and bool(
        answer.strip() or answer == truth
    )
    assert (where_it_ends(answer, truth) != "disagrees") == agrees


def test_the_sums_are_over_the_answers_they_speak_of() -> None:
    sums = summed_up([judged("a)"), judged("a"), judged("b"), judged("", "= [x]", reason="length")])
    expected = {
        "exact match": (0.25, 4),
        "right up to its end": (0.5, 4),
        "file still parses": (1 / 3, 3),
        "stops where the truth stops": (0.5, 2),
        "ended by itself": (0.75, 4),
        "said something": (0.75, 4),
        "keys saved": (3 / 7, 4),
    }
    for name, (value, count) in expected.items():
        assert (sums[name].value, sums[name].count) == (pytest.approx(value), count), name


def test_an_advantage_is_the_difference_at_the_same_cursors() -> None:
    right, wrong = judged("a)"), judged("b")
    found = advantage([right, right, wrong], [right, wrong, wrong])
    assert found.value == pytest.approx(1 / 3)
    assert found.low <= found.value <= found.high


def test_an_advantage_at_other_cursors_is_refused() -> None:
    with pytest.raises(ValueError, match="same cursors"):
        advantage([judged("a)")], [judged("a)", "y = f([a)]\n")])


def test_groups_keep_all_answers() -> None:
    some = [judged("a)"), judged("a)", language="go"), judged("b")]
    groups = measures.grouped(some, measures.BREAKDOWNS["language"])
    assert groups == {"python": [some[0], some[2]], "go": [some[1]]}
