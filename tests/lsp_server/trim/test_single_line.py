"""Where one line is wanted one is kept."""

from __future__ import annotations

import pytest
from completion_fakes import at_cursor

from lsp_server.trim.single_line import only_one_line
from lsp_server.trim.view import View


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [
        ("x = │", "1\ny = 2\n", "1"),
        ("x = 1│", "\ny = 2\nz = 3", "\ny = 2"),
        ("x = │", "1", "1"),
        ("f(│)", "\nother()", ""),
    ],
    ids=["one line", "the next line where this one is full", "already one", "never tears a line apart"],
)
def test_only_one_line_is_kept_where_one_is_wanted(marked: str, text: str, kept: str) -> None:
    assert only_one_line(text, View(at_cursor(marked), True, "single")) == kept
