"""What LSP4IJ draws of an item, by its range rules; │ is the cursor. They are why the server sends pure insertions."""

from __future__ import annotations

from lsprotocol import types

from tests.editors.jetbrains.lsp4ij import Ghost, ghost, units


def shown(marked: str, insert: str, start: int | None = None, end: int | None = None) -> Ghost | None:
    """The ghost of an item in the single line `marked`; `start` and `end` are utf-16 columns of its range."""
    before, _, after = marked.partition("│")
    place = None
    if start is not None and end is not None:
        place = types.Range(types.Position(0, start), types.Position(0, end))
    return ghost(types.InlineCompletionItem(insert, range=place), before + after, units(before))


def test_an_insertion_at_the_cursor_is_shown_as_it_is() -> None:
    assert shown("ret│", "urn a", 3, 3) == Ghost(0, "urn a")


def test_an_item_without_a_range_is_shown_as_it_is() -> None:
    assert shown("ret│", "urn a") == Ghost(0, "urn a")


def test_a_range_from_before_the_cursor_takes_characters_from_the_front() -> None:
    assert shown("ret│", "return a", 0, 3) == Ghost(0, "urn a")


def test_a_range_to_behind_the_cursor_doubles_what_stands_there() -> None:
    assert shown("f(│)", "a, b)", 2, 3) == Ghost(1, "a, b)")


def test_an_emoji_before_the_cursor_counts_as_two() -> None:
    assert shown('"😀"│', ".upper()", 4, 4) == Ghost(0, ".upper()")


def test_a_blank_text_is_not_shown() -> None:
    assert shown("x│", "\n    ") is None
