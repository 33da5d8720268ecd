"""Ghost text: what stays of it while the person types, and when it counts as right."""

from __future__ import annotations

import pytest

from benchmarks.client.editor_model import EditorModel
from benchmarks.client.ghost import Answer, Ghost, balanced, judge, unmatched_closers


def after_keys(answer: str, keys: str, document: str = "x = ") -> tuple[str, int] | None:
    """What stands after `keys` are typed at the end of `document`, where `answer` is shown."""
    editor = EditorModel(document, len(document))
    ghost = Ghost.of(Answer(answer), editor.cursor)
    for key in keys:
        edit = editor.press(key)
        ghost = None if ghost is None else ghost.after(edit, editor.text, editor.cursor)
    return None if ghost is None else ghost.seen(editor.cursor)


def test_typing_what_it_says_shortens_it() -> None:
    assert after_keys("value + 1", "val") == ("ue + 1", 0)


def test_typing_something_else_takes_it_away() -> None:
    assert after_keys("value + 1", "vo") is None


def test_typing_all_of_it_ends_it() -> None:
    assert after_keys("ab", "ab") is None


def test_a_bracket_that_the_editor_closes_becomes_part_of_what_it_replaces() -> None:
    assert after_keys("f(a, b)", "f(") == ("a, b)", 1)


def test_typing_over_the_closed_bracket_goes_on() -> None:
    assert after_keys("f(a) + 1", "f(a)") == (" + 1", 0)


def test_an_edit_before_it_takes_it_away() -> None:
    editor = EditorModel("x = ", 4)
    ghost = Ghost.of(Answer("value"), 4)
    assert ghost is not None
    edit = editor.backspace()
    assert edit is not None
    assert ghost.after(edit, editor.text, editor.cursor) is None


def test_an_empty_answer_shows_nothing() -> None:
    assert Ghost.of(Answer(""), 3) is None


@pytest.mark.parametrize(
    ("wanted", "typed", "tail", "insert", "replaced", "verdict"),
    [
        ("f(a, b)", "f(", "", "a, b)", 0, "right"),
        ("f(a, b)", "f(", ")", "a, b", 0, "right"),
        ("f(a, b)", "f(", ")", "a, b)", 1, "right"),
        ("f(a, b)", "f(", ")", "a, b)", 0, "wrong"),  # would double the bracket
        ("f(a, b)", "f(", ")", "a", 1, "right"),  # takes it away: it is typed later
        ("f([a])", "f([", "])", "a]", 1, "right"),
        ("value + 1", "va", "", "lue + 2", 0, "partly"),
        ("value + 1", "va", "", "lid", 0, "wrong"),
        ("value", "value", "", "s", 0, "wrong"),
        ("value", "vx", "", "alue", 0, "wrong"),  # a slip stands before the cursor
    ],
)
def test_what_ghost_text_is_worth(wanted: str, typed: str, tail: str, insert: str, replaced: int, verdict: str) -> None:
    assert judge(wanted, typed, tail, insert, replaced) == verdict


def test_closers_that_close_nothing_are_found_in_order() -> None:
    assert unmatched_closers("a(b)]c)") == "])"


@pytest.mark.parametrize(("text", "is_balanced"), [("f(a[0])", True), ("f(a", False), ("a)", False), ("(]", False)])
def test_balance_is_of_all_brackets_in_order(text: str, is_balanced: bool) -> None:
    assert balanced(text) is is_balanced
