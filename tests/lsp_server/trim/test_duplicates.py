"""Lines below the cursor are not suggested again."""

from __future__ import annotations

import pytest
from completion_fakes import at_cursor

from lsp_server.trim.duplicates import without_lines_below
from lsp_server.trim.view import View


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [
        ("def f():\n    │\n    return x\n", "x = 1\n    return x\n", "x = 1"),
        ("def f():\n    ret│\n    return x\n", "urn x", ""),
        ("if a {\n    │\n}\nb()\n", "f();\n}\nc()", "f();\n}\nc()"),
        ("if a {\n    │\n}\nb()\n", "f();\n}\nb()", "f();"),
        ("a\n│", "b\nc", "b\nc"),
    ],
    ids=["the next line", "the whole of it", "a short line alone", "a short line and what follows", "nothing below"],
)
def test_lines_below_the_cursor_are_not_suggested_again(marked: str, text: str, kept: str) -> None:
    assert without_lines_below(text, View(at_cursor(marked), True, "multi")) == kept
