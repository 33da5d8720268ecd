"""The rest of the line is not suggested again."""

from __future__ import annotations

import pytest
from completion_fakes import at_cursor

from lsp_server.trim.rest_of_line import without_rest_of_line
from lsp_server.trim.view import View


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [
        ("x = │ + offset", "base + offset", "base"),
        ("x = │offset", "base + offset", "base + "),
        ("x = │ + offset", "base + off", "base"),
        ("x = │ + offset", "base", "base"),
        ("x = │", "base + offset", "base + offset"),
        ("f(│, b)", "a\nmore", "a"),
    ],
)
def test_the_rest_of_the_line_is_not_suggested_again(marked: str, text: str, kept: str) -> None:
    assert without_rest_of_line(text, View(at_cursor(marked), True, "multi")) == kept
