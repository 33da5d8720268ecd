"""What each editor makes of an item: the text after accepting it, by that editor's own rules."""

from __future__ import annotations

import pytest
from lsprotocol import types

from lsp_server.completer import Suggested
from lsp_server.items import inline_item, takes_commands
from lsp_server.positions import Position, PositionEncoding
from lsp_server.text_store import TextStore

CURSOR = "│"
UTF8, UTF16, UTF32 = PositionEncoding.UTF8, PositionEncoding.UTF16, PositionEncoding.UTF32

CASES = [
    ("x = │", "value", "x = value│"),
    ("f(│)", "a, b", "f(a, b│)"),
    ("def f():│", "\n    a = 1\n    return a", "def f():\n    a = 1\n    return a│"),
    ("def f():\n    │\n    b()\n", "a()", "def f():\n    a()│\n    b()\n"),
    ("s = 'naïve 😀' + │ + t", "u", "s = 'naïve 😀' + u│ + t"),
]
"""With what the text is, what is suggested, and what is there after Tab."""


def replaced(text: str, span: types.Range, new: str, encoding: PositionEncoding) -> tuple[str, int]:
    """VS Code, Neovim and Emacs: the range is replaced by the text, and the cursor is behind it."""
    store = TextStore(text, encoding)
    start = store.offset_at(Position(span.start.line, span.start.character))
    end = store.offset_at(Position(span.end.line, span.end.character))
    return text[:start] + new + text[end:], start + len(new)


def inserted_by_lsp4ij(text: str, cursor: int, span: types.Range, new: str) -> tuple[str, int]:
    """LSP4IJ: as many characters as the range has before the cursor are stripped; nothing is ever removed."""
    start = TextStore(text, UTF16).offset_at(Position(span.start.line, span.start.character))
    new = new[cursor - start :]
    return text[:cursor] + new + text[cursor:], cursor + len(new)


def item_at(text: str, cursor: int, suggested: str, encoding: PositionEncoding) -> types.InlineCompletionItem:
    position = TextStore(text, encoding).position_at(cursor)
    return inline_item(Suggested(1, suggested, "local", 1.0), position, None, with_command=True)


@pytest.mark.parametrize("encoding", [UTF16, UTF8, UTF32], ids=["VS Code", "Neovim", "Emacs"])
@pytest.mark.parametrize(("marked", "suggested", "accepted"), CASES)
def test_an_accepted_item_stands_at_the_cursor_and_nothing_else_changes(
    marked: str, suggested: str, accepted: str, encoding: PositionEncoding
) -> None:
    before, _, after = marked.partition(CURSOR)
    item = item_at(before + after, len(before), suggested, encoding)
    assert isinstance(item.insert_text, str)
    assert item.range is not None
    text, cursor = replaced(before + after, item.range, item.insert_text, encoding)
    assert text[:cursor] + CURSOR + text[cursor:] == accepted


@pytest.mark.parametrize(("marked", "suggested", "accepted"), CASES)
def test_jetbrains_inserts_the_same(marked: str, suggested: str, accepted: str) -> None:
    before, _, after = marked.partition(CURSOR)
    item = item_at(before + after, len(before), suggested, UTF16)
    assert isinstance(item.insert_text, str)
    assert item.range is not None
    text, cursor = inserted_by_lsp4ij(before + after, len(before), item.range, item.insert_text)
    assert text[:cursor] + CURSOR + text[cursor:] == accepted


@pytest.mark.parametrize(("marked", "suggested", "accepted"), CASES)
def test_the_range_is_empty_and_at_the_cursor_on_one_line(marked: str, suggested: str, accepted: str) -> None:
    before, _, after = marked.partition(CURSOR)
    item = item_at(before + after, len(before), suggested, UTF16)
    assert item.range is not None
    assert item.range.start == item.range.end
    assert item.filter_text is None


def test_with_an_item_selected_in_the_menu_its_range_and_text_come_first() -> None:
    span = types.Range(types.Position(0, 4), types.Position(0, 6))
    selected = types.SelectedCompletionInfo(range=span, text="path")
    item = inline_item(Suggested(1, ".join()", "local", 1.0), Position(0, 6), selected, with_command=True)
    assert isinstance(item.insert_text, str)
    assert item.range is not None
    assert replaced("x = pa", item.range, item.insert_text, UTF16) == ("x = path.join()", 15)
    assert inserted_by_lsp4ij("x = pa", 6, item.range, item.insert_text) == ("x = path.join()", 15)


@pytest.mark.parametrize(
    ("name", "takes"),
    [("Visual Studio Code", True), ("Neovim", True), ("emacs", True), ("PyCharm 2026.2", False), ("", True)],
)
def test_only_editors_that_run_commands_get_one(name: str, takes: bool) -> None:
    assert takes_commands(name) is takes
