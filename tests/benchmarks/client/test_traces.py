"""Traces and the person who types them: repeatable, finished, the same whoever is watched."""

from __future__ import annotations

import pytest

from benchmarks.client.person import PAUSE_S, Habits, Person
from benchmarks.client.traces import KEYS, Hole, Source, Trace, realistic, simple, unit_of
from benchmarks.client.typist import Typist

CODE = "\n\n\n".join(
    f"def function_{number}(values, limit):\n"
    f"    total = sum(value for value in values if value < limit * {number})\n"
    f"    if total > {number}:\n"
    f"        return [total, limit]\n"
    f"\n"
    f"    return compute(total, {{'limit': limit}})"
    for number in range(40)
)
SOURCES = [Source(f"{language}_{number}", language, CODE) for language in ("go", "python") for number in range(4)]


def type_out(trace: Trace, limit: int = 3_000) -> tuple[Typist, list[str]]:
    typist = Typist(trace, Person(trace.habits, trace.seed))
    actions = []
    while not typist.done:
        actions.append(typist.next().action)
        assert len(actions) < limit, f"stuck at {typist.typed!r} of {typist.wanted!r}"
    return typist, actions


@pytest.mark.parametrize("helps", [False, True])
def test_the_simple_trace_has_49_even_keys(helps: bool) -> None:
    trace = simple("simple", helps, seed=1)
    typist, actions = type_out(trace)
    assert actions == ["key"] * KEYS
    assert typist.gap_s(False) == 0.12
    assert trace.holes[0].text.startswith(typist.typed)


def test_realistic_traces_end_in_the_finished_file() -> None:
    drawn = realistic(SOURCES, 8, seed=5)
    assert len(drawn) == 8
    for trace in drawn:
        typist, _ = type_out(trace)
        assert typist.editor.text == trace.finished


def test_realistic_traces_have_slips_undos_and_jumps() -> None:
    seen = set()
    for trace in realistic(SOURCES, 8, seed=5):
        seen |= set(type_out(trace)[1])
    assert {"key", "backspace", "undo", "jump"} <= seen


def test_the_same_seed_draws_the_same_traces() -> None:
    assert realistic(SOURCES, 4, seed=9) == realistic(SOURCES, 4, seed=9)
    assert realistic(SOURCES, 4, seed=9) != realistic(SOURCES, 4, seed=10)


def test_languages_take_turns() -> None:
    assert [trace.language for trace in realistic(SOURCES, 4, seed=2)] == ["go", "python", "go", "python"]


def test_files_that_are_not_ascii_are_left_out() -> None:
    assert realistic([Source("a", "python", CODE + "ä")], 1, seed=1) == []


def test_the_file_is_opened_without_its_holes() -> None:
    (trace,) = realistic(SOURCES[:1], 1, seed=3)
    missing = sum(len(hole.text) for hole in trace.holes)
    assert len(trace.opened) == len(trace.finished) - missing


def test_the_persons_draws_depend_on_the_place_alone() -> None:
    one, other = Person(Habits(), 4), Person(Habits(), 4)
    assert [one.gap_s(place, "a") for place in range(9)] == [other.gap_s(place, "a") for place in reversed(range(9))][
        ::-1
    ]
    assert one.slips(3) == one.slips(3)


def test_people_pause_more_at_line_starts_than_inside_words() -> None:
    person = Person(Habits(), 1)
    starts = sum(person.gap_s(place, "\n") >= PAUSE_S for place in range(300))
    inside = sum(person.gap_s(place, "a") >= PAUSE_S for place in range(300))
    assert starts > 10 * max(1, inside)


def test_too_short_a_suggestion_is_not_accepted() -> None:
    person = Person(Habits(accept_chance=1.0), 1)
    assert not person.accepts(0, " a")
    assert person.accepts(0, "value")


@pytest.mark.parametrize(
    ("text", "unit"), [("a\n  b", "  "), ("a\n    b\n        c", "    "), ("a\n\tb", "\t"), ("a", "    ")]
)
def test_the_step_of_indentation_is_the_files_own(text: str, unit: str) -> None:
    assert unit_of(text) == unit


def test_what_goes_on_rightly_where_the_person_leaves_is_for_later() -> None:
    finished = "first = 1\nsecond = 2\nthird = 3\n"
    holes = (Hole(0, "first = 1"), Hole(21, "third = 3"), Hole(9, "\nsecond = 2"))
    trace = Trace("t", "a.py", "python", finished, holes, Habits(pace_s=0.1, even=True), 1, helps=False)
    typist = Typist(trace, Person(trace.habits, trace.seed))
    while typist.typed != "first = 1":
        assert not typist.is_for_later("\nsecond = 2")
        typist.next()
    assert [typist.is_for_later(text) for text in ("\nsecond", "\nsecond = 2", "\nother", "\nsecond = 22")] == [
        True,
        True,
        False,
        False,
    ]
