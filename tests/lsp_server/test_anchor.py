"""The anchor of a burst of typing, through edits as editors make them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.anchor import MAX_TYPED, Anchor, Move, Place
from lsp_server.context import AFTER_CHARACTERS, BEFORE_CHARACTERS, WINDOW_LINES, build_context
from lsp_server.documents import ContentChange, Documents
from lsp_server.positions import Position, PositionEncoding, Range
from wire_protocol.agreement import continuation
from wire_protocol.frames import Context

URI = "file:///a.py"


class FakeEditor:
    """A document with a cursor (an offset); edits are told to documents and anchor as a server would."""

    def __init__(self, marked: str) -> None:
        before, _, after = marked.partition("│")
        self.documents = Documents(lambda: 0.0, PositionEncoding.UTF32)
        self.document = self.documents.open(URI, "python", 0, before + after)
        self.anchor = Anchor()
        self.cursor = len(before)

    def edit(self, *edits: tuple[int, int, str]) -> None:
        """Each edit: from, to, the new text; in order."""
        text = str(self.document.text)
        changes = []
        for start, end, new in edits:
            span = Range(self._position(text, start), self._position(text, end))
            changes.append(ContentChange(new, span))
            text = text[:start] + new + text[end:]
        self.anchor.changed(self.documents.change(URI, self.document.version + 1, changes))

    @staticmethod
    def _position(text: str, offset: int) -> Position:
        line = text.count("\n", 0, offset)
        return Position(line, offset - (text.rfind("\n", 0, offset) + 1))

    def type(self, text: str) -> None:
        """Type key by key; `(` is closed by the editor, and typed over."""
        for key in text:
            here = str(self.document.text)[self.cursor : self.cursor + 1]
            if key == ")" and here == ")":
                self.edit((self.cursor, self.cursor + 1, ")"))
            else:
                self.edit((self.cursor, self.cursor, "()" if key == "(" else key))
            self.cursor += 1

    def backspace(self) -> None:
        self.edit((self.cursor - 1, self.cursor, ""))
        self.cursor -= 1

    def place(self) -> Place:
        position = self._position(str(self.document.text), self.cursor)
        return self.anchor.place(self.document.snapshot(position))

    def context(self) -> Context:
        position = self._position(str(self.document.text), self.cursor)
        snapshot = self.document.snapshot(position)
        return build_context(snapshot, self.anchor.place(snapshot), "a.py")


def test_typing_changes_only_what_was_typed() -> None:
    editor = FakeEditor("a = 1\n    b│ + c\nd = 2\n")
    first = editor.context()
    editor.type(" = x")
    second = editor.context()
    assert (first.before, first.typed, first.after) == ("a = 1\n", "    b", " + c\nd = 2\n")
    assert (second.before, second.typed, second.tail, second.after) == ("a = 1\n", "    b = x", "", " + c\nd = 2\n")


def test_a_bracket_that_the_editor_closes_is_the_tail() -> None:
    editor = FakeEditor("print│\nd = 2\n")
    first = editor.context()
    editor.type("(a")
    second = editor.context()
    assert (second.typed, second.tail, second.after) == ("print(a", ")", "\nd = 2\n")
    assert continuation(first, second) == "(a"


def test_a_bracket_closed_by_the_first_key_of_a_burst_is_the_tail() -> None:
    editor = FakeEditor("print│\nd = 2\n")
    editor.type("(")
    context = editor.context()
    assert (context.typed, context.tail, context.after) == ("print(", ")", "\nd = 2\n")


def test_typing_over_a_closed_bracket_is_typing() -> None:
    editor = FakeEditor("print│\nd = 2\n")
    first = editor.context()
    editor.type("(a)")
    last = editor.context()
    assert (last.typed, last.tail, last.after) == ("print(a)", "", "\nd = 2\n")
    assert continuation(first, last) == "(a)"


def test_a_new_line_is_typing_and_leaves_the_anchor() -> None:
    editor = FakeEditor("if a:│\n")
    editor.context()
    editor.edit((editor.cursor, editor.cursor, "\n    "))
    editor.cursor += 5
    place = editor.place()
    assert (place.start, place.move, place.new_line) == (0, Move.TYPED, True)


def test_a_cursor_that_jumps_begins_a_new_burst() -> None:
    editor = FakeEditor("a = 1\nb = 2│\n")
    editor.context()
    editor.cursor = 3
    place = editor.place()
    assert (place.start, place.end, place.move) == (0, 3, Move.JUMPED)


def test_deleting_past_the_anchor_begins_a_new_burst() -> None:
    editor = FakeEditor("a = 1\n│\n")
    editor.context()
    editor.backspace()
    place = editor.place()
    assert (place.start, place.cursor, place.end) == (0, 5, 5)


@pytest.mark.parametrize(
    "edits",
    [[(12, 12, "x"), (0, 0, "import y\n")], [(0, 0, "import y\n")]],
    ids=["with an import added", "elsewhere alone"],
)
def test_an_edit_elsewhere_is_told_as_such(edits: list[tuple[int, int, str]]) -> None:
    editor = FakeEditor("a = 1\nb = 2 │\n")
    editor.context()
    editor.edit(*edits)
    editor.cursor += sum(len(new) for _, _, new in edits)
    assert editor.place().move is Move.EDITED_ELSEWHERE


def test_an_undo_is_told_as_such_until_something_is_typed() -> None:
    editor = FakeEditor("a│\n")
    editor.type("bc")
    editor.place()
    editor.edit((1, 3, ""))
    editor.cursor = 1
    assert editor.place().move is Move.UNDONE
    assert editor.place().move is Move.UNDONE
    editor.type("x")
    assert editor.place().move is Move.TYPED


def test_a_key_typed_again_after_it_was_deleted_is_typing() -> None:
    editor = FakeEditor("a│\n")
    editor.type("b")
    editor.backspace()
    editor.type("b")
    assert editor.place().move is Move.TYPED


def test_a_long_burst_moves_the_anchor_to_the_line() -> None:
    editor = FakeEditor("x\n│\n")
    editor.context()
    editor.type("a" * 100 + "\n" + "b" * MAX_TYPED)
    assert len(editor.context().typed) <= MAX_TYPED


def test_one_line_of_a_megabyte_has_a_bounded_context() -> None:
    editor = FakeEditor("a" * 500_000 + "│" + "b" * 500_000)
    context = editor.context()
    assert 0 < len(context.typed) <= MAX_TYPED
    assert len(context.before) <= BEFORE_CHARACTERS
    assert len(context.after) <= AFTER_CHARACTERS


def test_the_window_starts_only_at_every_thirty_second_line() -> None:
    lines = "".join(f"line_{number} = {number}\n" for number in range(3_000))
    starts = set()
    for line in range(1_000, 1_200):
        editor = FakeEditor(lines)
        editor.cursor = editor.document.text.line_offset(line)
        context = editor.context()
        starts.add(int(context.before.partition(" ")[0].removeprefix("line_")))
    assert {start % WINDOW_LINES for start in starts} == {0}
    assert len(starts) <= 200 / WINDOW_LINES + 2


def test_carriage_returns_and_lone_surrogates_do_not_reach_the_context() -> None:
    context = FakeEditor("a\r\nb\ud83d│\rc\r\n").context()
    joined = context.before + context.typed + context.tail + context.after
    assert joined == "a\nb\N{REPLACEMENT CHARACTER}\nc\n"


ACTIONS = st.one_of(
    st.tuples(st.just("type"), st.sampled_from(["a", "(", ")", "\n", "x = ", "[", "é😀"])),
    st.tuples(st.just("backspace"), st.just("")),
    st.tuples(st.just("jump"), st.integers(0, 200)),
    st.tuples(st.just("elsewhere"), st.integers(0, 200)),
    st.tuples(st.just("ask"), st.just("")),
)


@settings(deadline=None)
@given(st.text("ab(\n ", max_size=60), st.lists(ACTIONS, max_size=30))
def test_the_parts_always_make_up_the_text(text: str, actions: list[tuple[str, object]]) -> None:
    editor = FakeEditor(text + "│\nend\n")
    for action, argument in actions:
        size = len(editor.document.text)
        if action == "type":
            editor.type(str(argument))
        elif action == "backspace" and editor.cursor:
            editor.backspace()
        elif action == "jump" and isinstance(argument, int):
            editor.cursor = argument % (size + 1)
        elif action == "elsewhere" and isinstance(argument, int):
            at = argument % (size + 1)
            editor.edit((at, at, "zz"))
            editor.cursor += 2 if at <= editor.cursor else 0
        context = editor.context()
        place = editor.place()
        whole = str(editor.document.text)
        assert context.before + context.typed + context.tail + context.after == whole
        assert len(context.before + context.typed) == editor.cursor
        assert place.start <= place.cursor <= place.end
