"""The bench's editor: what a key does, and that its edits give the client the same text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.client.editor_model import EditorModel, difference, position


def editor(marked: str) -> EditorModel:
    before, _, after = marked.partition("│")
    return EditorModel(before + after, len(before))


def marked(model: EditorModel) -> str:
    return f"{model.text[: model.cursor]}│{model.text[model.cursor :]}"


def typed(model: EditorModel, keys: str) -> str:
    for key in keys:
        model.press(key)
    return marked(model)


@pytest.mark.parametrize(
    ("start", "keys", "end"),
    [
        ("f│", "(", "f(│)"),
        ("f│", "(a)", "f(a)│"),
        ("f│", "([x", "f([x│])"),
        ("f│", "([x])", "f([x])│"),
        ("│name", "(", "(│name"),
        ("if x:│", "\n", "if x:\n    │"),
        ("    a = 1│", "\n", "    a = 1\n    │"),
        ("    a = 1│", "\n\n", "    a = 1\n\n    │"),
        ("│", "\tx", "    x│"),
    ],
)
def test_keys_do_what_an_editor_that_indents_and_closes_does(start: str, keys: str, end: str) -> None:
    assert typed(editor(start), keys) == end


def test_an_editor_that_does_not_help_inserts_keys_as_they_are() -> None:
    model = EditorModel("", 0, helps=False)
    assert typed(model, "f(x):\ny") == "f(x):\ny│"


def test_backspace_in_an_empty_pair_takes_both_brackets() -> None:
    model = editor("f│")
    model.press("(")
    model.backspace()
    assert marked(model) == "f│"


def test_backspace_in_the_indentation_takes_a_step() -> None:
    model = editor("        │")
    model.backspace()
    assert marked(model) == "    │"


def test_a_bracket_closed_before_a_jump_is_not_typed_over_after_it() -> None:
    model = editor("f│")
    model.press("(")
    model.move(model.cursor)
    assert model.tail == ""
    assert typed(model, ")") == "f()│)"


def test_undo_goes_back_to_before_an_accepted_suggestion() -> None:
    model = editor("a = │")
    model.accept("b + c", 0)
    model.undo()
    assert marked(model) == "a = │"


def test_accepting_replaces_the_closed_bracket_it_names() -> None:
    model = editor("f│")
    model.press("(")
    model.accept("x)", 1)
    assert marked(model) == "f(x)│"
    assert model.tail == ""


KEYS = st.lists(
    st.one_of(st.sampled_from(list("ab ([{)]}:\n\t")), st.sampled_from(["back", "undo", "delete"])), max_size=40
)


@settings(max_examples=40)
@given(KEYS)
def test_the_edits_give_a_follower_the_same_text(keys: list[str]) -> None:
    model = EditorModel("start:\n  end", 6)
    follower = model.text
    for key in keys:
        before = model.text
        if key == "back":
            edit = model.backspace()
        elif key == "undo":
            edit = model.undo()
        elif key == "delete":
            edit = model.delete() if model.cursor < len(model.text) else None
        else:
            edit = model.press(key)
        assert follower == before
        if edit is not None:
            follower = follower[: edit.start] + edit.text + follower[edit.end :]
    assert follower == model.text
    assert 0 <= model.cursor <= len(model.text)


@given(st.text("ab", max_size=8), st.text("ab", max_size=8))
def test_a_difference_turns_one_text_into_the_other(old: str, new: str) -> None:
    start, end, text = difference(old, new)
    assert old[:start] + text + old[end:] == new


def test_positions_count_from_0() -> None:
    assert position("ab\ncd", 0) == (0, 0)
    assert position("ab\ncd", 4) == (1, 1)
