"""What becomes of one suggestion, told by the edits of its document (`│` is where it was given)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.statistics.suggestion import Outcome, Suggestion
from lsp_server.text_store import Edit


def suggestion(text: str, start: int = 10, **more: bool) -> Suggestion:
    return Suggestion("file:///a.py", "inline", "python", "edge", start, text, **more)


def type_in(given: Suggestion, keys: str) -> None:
    for key in keys:
        given.edit(Edit(given.cursor, "", key))


@pytest.mark.parametrize(
    ("text", "keys", "outcome"),
    [
        ("value", "val", None),
        ("value", "value", Outcome.TYPED_THROUGH),
        ("value\n", "value", Outcome.TYPED_THROUGH),
        ("value", "w", Outcome.DISMISSED),
        ("value", "vax", Outcome.DISMISSED),
        ("value", "va ", Outcome.DISMISSED),
        ("value", "va)", Outcome.DISMISSED),
    ],
)
def test_typing_follows_it_ends_it_or_dismisses_it(text: str, keys: str, outcome: Outcome | None) -> None:
    one = suggestion(text)
    type_in(one, keys)
    assert one.outcome is outcome


def test_what_is_left_is_what_was_not_typed() -> None:
    one = suggestion("value")
    type_in(one, "va")
    assert (one.rest, one.cursor) == ("lue", 12)


def test_a_backspace_within_what_was_typed_leaves_it_standing() -> None:
    one = suggestion("value")
    type_in(one, "val")
    one.edit(Edit(12, "l", ""))
    assert (one.outcome, one.rest) == (None, "lue")


def test_a_backspace_before_it_dismisses_it() -> None:
    one = suggestion("value")
    one.edit(Edit(9, " ", ""))
    assert one.outcome is Outcome.DISMISSED


@pytest.mark.parametrize(
    ("edit", "start"),
    [
        (Edit(2, "", "import os\n"), 20),
        (Edit(2, "four", ""), 6),
        (Edit(40, "x", "something"), 10),
    ],
)
def test_an_edit_elsewhere_only_moves_it(edit: Edit, start: int) -> None:
    one = suggestion("value")
    type_in(one, "va")
    one.edit(edit)
    assert (one.outcome, one.start, one.rest) == (None, start, "lue")


def test_a_bracket_that_the_editor_closes_is_not_typed() -> None:
    one = suggestion("print(value)")
    type_in(one, "print")
    one.edit(Edit(one.cursor, "", "()"))
    assert (one.outcome, one.rest) == (None, "value)")
    type_in(one, "value")
    assert (one.outcome, one.rest) == (None, ")")
    one.move(one.cursor + 1, ")")
    assert one.outcome is Outcome.TYPED_THROUGH


def test_a_cursor_elsewhere_dismisses_it() -> None:
    one = suggestion("value")
    one.move(3, "")
    assert one.outcome is Outcome.DISMISSED


def test_line_endings_of_the_document_do_not_matter() -> None:
    one = suggestion("if x:\n    y\n")
    type_in(one, "if x:")
    one.edit(Edit(one.cursor, "", "\r\n    "))
    assert (one.outcome, one.rest, one.cursor) == (None, "y\n", 21)


def test_a_text_that_goes_on_with_it_is_the_same_suggestion() -> None:
    one = suggestion("value")
    type_in(one, "va")
    assert one.extend(12, "lue + 1")
    assert one.text == "value + 1"
    assert one.extend(12, "lue")
    assert not one.extend(12, "st")
    assert not one.extend(11, "lue")


def test_all_of_it_at_once_is_an_acceptance_where_the_editor_reports_none() -> None:
    one = suggestion("value", infers_accepts=True)
    type_in(one, "v")
    one.edit(Edit(11, "", "alue"))
    assert (one.outcome, one.accepted_characters, one.accept_keys) == (Outcome.ACCEPTED_INFERRED, 4, 1)


def test_all_of_it_at_once_waits_for_the_report_of_an_editor_that_makes_one() -> None:
    one = suggestion("value")
    one.edit(Edit(10, "", "value"))
    assert one.outcome is Outcome.TYPED_THROUGH
    one.accept(5)
    assert one.outcome is Outcome.ACCEPTED


def test_a_few_keys_that_an_editor_collected_are_no_acceptance() -> None:
    one = suggestion("value", infers_accepts=True)
    type_in(one, "va")
    one.edit(Edit(12, "", "lue"))
    assert one.outcome is Outcome.TYPED_THROUGH


def test_what_was_accepted_in_part_and_then_dismissed_is_partly_accepted() -> None:
    one = suggestion("value = 1")
    one.accept_part(5)
    one.edit(Edit(10, "", "value"))
    type_in(one, "?")
    assert one.outcome is Outcome.PARTLY


@given(st.text("ab", min_size=1, max_size=6), st.text("ab", max_size=8))
def test_it_stands_exactly_while_the_keys_are_a_beginning_of_it(text: str, keys: str) -> None:
    one = suggestion(text)
    type_in(one, keys)
    if len(keys) < len(text) and text.startswith(keys):
        assert (one.outcome, one.rest) == (None, text[len(keys) :])
    else:
        assert one.outcome is (Outcome.TYPED_THROUGH if keys.startswith(text) else Outcome.DISMISSED)


@given(st.lists(st.tuples(st.integers(0, 30), st.text("a)\n", max_size=3), st.text("va(\r\n", max_size=3)), max_size=6))
def test_no_edit_breaks_it(edits: list[tuple[int, str, str]]) -> None:
    one = suggestion("va(\nva)")
    for offset, removed, inserted in edits:
        one.edit(Edit(offset, removed, inserted))
        assert one.text.endswith(one.rest)
        assert one.start >= 0
