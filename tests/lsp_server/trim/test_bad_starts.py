"""What models put before the code is left out."""

from __future__ import annotations

import pytest
from completion_fakes import at_cursor

from lsp_server.trim.bad_starts import without_bad_start
from lsp_server.trim.view import View


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [
        ("│", "```python\nx = 1\n```\nThis sets x.", "x = 1\n"),
        ("│", "\ufeffx = 1", "x = 1"),
        ("x =│", "\u200b 1", " 1"),
        ("x = │", " 1", "1"),
        ("x = 1 │", " # one", " # one"),
        ("# One. │", " Two.", " Two."),
        ("x =│", " 1", " 1"),
        ("x  │", " = 1", " = 1"),
        ("def f():\n    │", "\n    x = 1", "x = 1"),
        ("def f():\n    │", "\nx = 1", "\nx = 1"),
        ("│", "\nx = 1", "\nx = 1"),
    ],
    ids=[
        "a fence",
        "a byte order mark",
        "a zero-width space",
        "a second space",
        "two spaces before a comment",
        "two spaces after a sentence",
        "the first space",
        "alignment",
        "a line break on an indented line",
        "a line break to another indentation",
        "a blank line",
    ],
)
def test_what_cannot_be_the_beginning_is_left_out(marked: str, text: str, kept: str) -> None:
    assert without_bad_start(text, View(at_cursor(marked), True, "multi")) == kept


def test_a_fence_is_markdown_in_markdown() -> None:
    view = View(at_cursor("│", "markdown"), True, "multi")
    assert without_bad_start("```python\nx\n```", view) == "```python\nx\n```"
