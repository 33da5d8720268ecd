"""What is sent at a cursor."""

from __future__ import annotations

from benchmarks.quality.contexts import of_cursor, typed_on
from benchmarks.quality.cursors import Cursor
from benchmarks.quality.held_out import Record
from lsp_server.anchor import MAX_TYPED
from lsp_server.context import AFTER_CHARACTERS, BEFORE_CHARACTERS
from wire_protocol.frames import Context


def cursor(marked: str) -> Cursor:
    """A cursor from text in which `[` and `]` stand around the hole."""
    head, rest = marked.split("[")
    truth, tail = rest.split("]")
    record = Record("p", "src/a.py", "python", head + truth + tail)
    return Cursor("single", "in word", record, head.rfind("\n") + 1, len(head), len(head + truth), 1)


def test_the_line_up_to_the_cursor_is_typed_and_the_hole_is_gone() -> None:
    assert of_cursor(cursor("import os\n\ndef f(é):\n    ret[urn é]\n\nx = 1\n")) == Context(
        before="import os\n\ndef f(é):\n", typed="    ret", after="\n\nx = 1\n", path="src/a.py", language="python"
    )


def test_the_windows_are_those_of_the_language_server() -> None:
    context = of_cursor(cursor("above = 1\n" * 2_000 + "x = [1]\n" + "below = 2\n" * 2_000))
    assert BEFORE_CHARACTERS // 2 <= len(context.before) <= BEFORE_CHARACTERS
    assert context.before.startswith("above = 1\n")
    assert AFTER_CHARACTERS // 2 <= len(context.after) <= AFTER_CHARACTERS
    assert context.after.endswith("below = 2\n")


def test_a_character_beyond_the_basic_plane_moves_nothing() -> None:
    context = of_cursor(cursor("a = '😀😀'\nb = '😀[c']\n"))
    assert (context.before, context.typed, context.after) == ("a = '😀😀'\n", "b = '😀", "\n")


def test_the_anchor_of_a_long_line_stands_in_the_line() -> None:
    context = of_cursor(cursor("x" * 600 + "[y]\n"))
    assert (len(context.before), len(context.typed)) == (600 - MAX_TYPED, MAX_TYPED)


def test_typing_on_changes_only_what_is_typed() -> None:
    context = Context(before="a\n", typed="b", after="\n", path="p.py", language="python")
    assert typed_on(context, "c\nd") == Context(before="a\n", typed="bc\nd", after="\n", path="p.py", language="python")


def test_a_burst_that_grows_too_long_gets_a_new_anchor_at_its_last_line() -> None:
    moved = typed_on(Context(before="a\n", typed="b" * MAX_TYPED), "\nc")
    assert (moved.before, moved.typed) == ("a\n" + "b" * MAX_TYPED + "\n", "c")
