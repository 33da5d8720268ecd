"""What stands on screen while somebody types."""

from __future__ import annotations

import pytest
from completion_fakes import at_cursor
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.prefetch import replace_typed
from lsp_server.shown import Fate, Shown

WORDS = st.text("ab ", max_size=8)


def showing(marked: str, text: str) -> Shown:
    shown = Shown()
    shown.give(at_cursor(marked), text, "single")
    return shown


@pytest.mark.parametrize(
    ("now", "fate"),
    [
        ("x = │\n", Fate.STANDING),
        ("x = val│\n", Fate.STANDING),
        ("x = value│\n", Fate.TAKEN),
        ("x = value + 1│\n", Fate.TAKEN),
        ("x = valid│\n", Fate.TAKEN),
        ("x = w│\n", Fate.REFUSED),
        ("x =│\n", Fate.GONE),
        ("y = 1\nx = │\n", Fate.GONE),
    ],
)
def test_what_became_of_the_text(now: str, fate: Fate) -> None:
    assert showing("x = │\n", "value").follow(at_cursor(now)) is fate


def test_typing_leaves_the_rest_standing() -> None:
    shown = showing("x = │\n", "value")
    assert shown.standing(at_cursor("x = va│\n")) == "lue"
    assert shown.standing(at_cursor("x = b│\n")) == ""


def test_a_longer_text_extends_what_stands_from_where_it_was_first_seen() -> None:
    shown = showing("x = │\n", "value")
    shown.give(at_cursor("x = va│\n"), "lue + 1", "single")
    assert shown.standing(at_cursor("x = value│\n")) == " + 1"
    assert shown.characters == len("value + 1")


def test_a_text_that_was_taken_stands_no_more() -> None:
    shown = showing("x = │\n", "value")
    assert shown.follow(at_cursor("x = value│\n")) is Fate.TAKEN
    assert shown.follow(at_cursor("x = value│\n")) is Fate.NONE


def test_a_withheld_text_is_told_once_however_far_it_is_typed() -> None:
    shown = showing("x = │\n", "value")
    assert shown.withhold(at_cursor("x = │\n"), "vast")
    assert not shown.withhold(at_cursor("x = va│\n"), "st")
    assert shown.withhold(at_cursor("x = va│\n"), "in")


@given(WORDS, WORDS)
def test_it_stands_exactly_while_the_typed_text_is_a_beginning_of_it(text: str, typed: str) -> None:
    shown = showing("x = │\n", text)
    now = at_cursor(f"x = {typed}│\n")
    stands = text.startswith(typed) and len(typed) < len(text)
    assert shown.standing(now) == (text[len(typed) :] if stands else "")
    assert (shown.follow(now) is Fate.STANDING) == stands


def test_text_stands_re_indented_as_the_editor_indented_the_line() -> None:
    shown = showing("def f():│\n", "\n  x = 1\n  return x")
    now = at_cursor("def f():\n    │\n")
    now = replace_typed(now, "", "def f():\n    ")
    assert shown.follow(now) is Fate.STANDING
    assert shown.standing(now) == "x = 1\n    return x"
    shown.give(now, "x = 1\n    return x + 1", "multi")
    assert shown.standing(now) == "x = 1\n    return x + 1"


def test_text_of_another_block_does_not_stand() -> None:
    shown = showing("if a:│\n", "\n    b()")
    assert shown.follow(replace_typed(at_cursor("│\n"), "", "if a:\nb")) is not Fate.STANDING
