"""Each suggestion of a session is counted once, and what was inferred is called so."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.documents import Change
from lsp_server.positions import Position
from lsp_server.statistics.outcomes import GRACE_S, MAX_LANGUAGES, MAX_STANDING, Outcomes
from lsp_server.statistics.suggestion import Outcome, Suggestion
from lsp_server.text_store import Edit

URI = "file:///w/a.py"
ENDS = {str(outcome) for outcome in Outcome}


class Session:
    """One document, one editor, and a clock that a test turns."""

    def __init__(self) -> None:
        self.outcomes = Outcomes()
        self.now = 100.0
        self.ids = itertools.count(1)

    def give(self, text: str, at: int = 10, source: str = "edge", language: str = "python", **more: bool) -> int:
        id = next(self.ids)
        suggestion = Suggestion(URI, "inline", language, source, at, text, **more)
        self.outcomes.given(id, suggestion, self.now)
        return id

    def put(self, at: int, text: str, removed: str = "", *, whole: bool = False) -> None:
        edits = () if whole else (Edit(at, removed, text),)
        self.outcomes.changed(URI, Change(1, self.now, edits, whole, Position(0, 0), None), self.now)

    def wait(self, seconds: float = 1.0) -> None:
        self.now += seconds

    def counts(self) -> dict[str, int]:
        """Over everything, once nothing more can be reported."""
        self.now += GRACE_S
        self.outcomes.settle(self.now)
        return {name: count for name, count in self.outcomes.settled().items() if "/" not in name}


def test_a_suggestion_that_nobody_reported_shown_is_shown_by_inference() -> None:
    session = Session()
    session.give("value")
    session.wait()
    session.put(10, "w")
    assert session.counts() == {"shown_inferred": 1, "dismissed_inferred": 1}


def test_a_suggestion_that_was_reported_is_shown() -> None:
    session = Session()
    session.outcomes.reported_shown(session.give("value"))
    session.wait()
    session.put(10, "w")
    assert session.counts() == {"shown": 1, "dismissed_inferred": 1}


def test_where_the_editor_reports_what_it_shows_nothing_else_was_shown() -> None:
    session = Session()
    session.outcomes.reported_shown(session.give("value"))
    session.wait()
    session.put(10, "w")
    session.give("hile", at=11)
    session.put(11, "x")
    assert session.counts() == {"shown": 1, "dismissed_inferred": 1}


def test_what_stood_too_briefly_to_be_read_is_told_apart() -> None:
    session = Session()
    session.give("value")
    session.wait(0.05)
    session.put(10, "w")
    session.give("value", at=11)
    session.wait(0.2)
    session.put(11, "w")
    counts = session.counts()
    assert (counts["dismissed_inferred"], counts["dismissed_unread_inferred"]) == (2, 1)


def test_an_answer_to_a_text_that_has_changed_was_not_shown() -> None:
    session = Session()
    session.give("value", outdated=True)
    assert session.counts() == {}


def test_what_is_left_after_each_key_is_the_same_suggestion() -> None:
    session = Session()
    for at, key in enumerate("value", 10):
        session.give("value"[at - 10 :], at=at)
        session.put(at, key)
    assert session.counts() == {"shown_inferred": 1, "typed_through_inferred": 1}


def test_an_acceptance_counts_once_however_it_is_reported() -> None:
    session = Session()
    id = session.give("value")
    session.put(10, "value")
    assert session.outcomes.accepted(id, session.now) is not None
    assert session.outcomes.accepted(id, session.now) is None
    assert session.counts() == {
        "shown_inferred": 1,
        "accepted": 1,
        "accepted_characters": 5,
        "saved_characters": 4,
    }


def test_an_acceptance_may_be_reported_before_the_change_that_it_makes() -> None:
    session = Session()
    session.outcomes.accepted(session.give("value"), session.now)
    session.put(10, "value")
    assert session.counts()["accepted"] == 1


def test_an_acceptance_may_be_reported_after_the_next_suggestion_was_given() -> None:
    session = Session()
    id = session.give("value")
    session.put(10, "value")
    session.give(" + 1", at=15)
    session.outcomes.accepted(id, session.now)
    session.put(15, "w")
    counts = session.counts()
    assert (counts["accepted"], counts["dismissed_inferred"], counts["shown_inferred"]) == (1, 1, 2)


def test_an_acceptance_of_an_earlier_answer_is_of_the_same_suggestion() -> None:
    session = Session()
    session.give("value")
    session.put(10, "v")
    second = session.give("alue", at=11)
    session.outcomes.accepted(second, session.now)
    assert session.counts()["accepted_characters"] == 4


def test_an_acceptance_that_comes_too_late_changes_nothing() -> None:
    session = Session()
    id = session.give("value")
    session.put(10, "w")
    before = session.counts()
    assert session.outcomes.accepted(id, session.now) is None
    assert session.counts() == before


def test_parts_up_to_the_end_are_an_acceptance_and_each_part_costs_a_key() -> None:
    session = Session()
    id = session.give("value = 1")
    session.outcomes.accepted_partly(id, 5, session.now)
    session.outcomes.accepted_partly(id, 5, session.now)
    session.outcomes.accepted_partly(id, 9, session.now)
    assert session.counts() == {
        "shown_inferred": 1,
        "accepted": 1,
        "accepted_characters": 9,
        "saved_characters": 7,
    }


def test_a_part_is_told_in_units_of_utf_16() -> None:
    session = Session()
    session.outcomes.accepted_partly(session.give("'😀' + x"), 4, session.now)
    session.put(10, "?")
    counts = session.counts()
    assert (counts["accepted_partly"], counts["accepted_characters"]) == (1, 3)


def test_a_part_is_told_at_once_although_more_may_follow() -> None:
    session = Session()
    session.outcomes.accepted_partly(session.give("value = 1"), 5, session.now)
    assert session.outcomes.so_far()["accepted_partly"] == 1
    assert session.outcomes.settled()["accepted_partly"] == 0


def test_a_file_that_is_closed_or_reloaded_leaves_its_suggestion_ignored() -> None:
    session = Session()
    session.give("value")
    session.outcomes.closed(URI, session.now)
    session.give("value")
    session.put(0, "", whole=True)
    assert session.counts()["ignored_inferred"] == 2


def test_another_text_at_the_same_place_leaves_the_first_ignored() -> None:
    session = Session()
    session.give("value")
    session.give("vast")
    session.wait()
    session.put(10, "w")
    assert session.counts() == {"shown_inferred": 2, "ignored_inferred": 1, "dismissed_inferred": 1}


def test_counts_are_by_source_and_language_too() -> None:
    session = Session()
    session.outcomes.accepted(session.give("value", source="cache", language="go"), session.now)
    counts = session.outcomes.settled()
    assert (counts["source/cache/accepted"], counts["language/go/saved_characters"]) == (1, 4)


def test_languages_are_few_and_their_names_short() -> None:
    session = Session()
    for number in range(MAX_LANGUAGES + 5):
        session.outcomes.accepted(session.give("value", language=f"{number}/" * 100), session.now)
    names = {name.split("/")[1] for name in session.outcomes.settled() if name.startswith("language/")}
    assert len(names) == MAX_LANGUAGES + 1
    assert all(len(name) <= 32 for name in names)


def test_of_many_documents_the_oldest_suggestion_is_let_go() -> None:
    outcomes = Outcomes()
    for number in range(MAX_STANDING + 1):
        outcomes.given(number, Suggestion(str(number), "inline", "go", "edge", 0, "x = 1"), 0.0)
    outcomes.settle(GRACE_S)
    assert outcomes.settled()["ignored_inferred"] == 1


def test_at_the_end_of_the_session_everything_is_counted() -> None:
    session = Session()
    session.give("value")
    session.outcomes.finish(session.now)
    assert session.outcomes.settled()["ignored_inferred"] == 1


STEPS = st.lists(
    st.tuples(st.sampled_from(["give", "type", "accept", "part", "shown", "wait", "close"]), st.integers(0, 12)),
    max_size=40,
)


@given(STEPS)
def test_whatever_happens_each_suggestion_that_was_shown_has_one_end(steps: list[tuple[str, int]]) -> None:
    session = Session()
    before: dict[str, int] = {}
    for step, number in steps:
        match step:
            case "give":
                session.give("value = 1"[number % 9 :], at=10 + number % 9)
            case "type":
                session.put(10 + number % 9, "value = 1"[number % 9])
            case "accept":
                session.outcomes.accepted(number, session.now)
            case "part":
                session.outcomes.accepted_partly(number, number // 2, session.now)
            case "shown":
                session.outcomes.reported_shown(number)
            case "wait":
                session.counts()
            case "close":
                session.outcomes.closed(URI, session.now)
        settled = session.outcomes.settled()
        assert all(settled[name] >= count for name, count in before.items())
        before = dict(settled)
    session.outcomes.finish(session.now)
    counts = session.outcomes.settled()
    shown = counts["shown"] + counts["shown_inferred"]
    assert shown == sum(counts[name] for name in ENDS)
    assert counts["accepted_characters"] <= 9 * shown
