"""Comments that say nothing are not suggested."""

from __future__ import annotations

import pytest
from completion_fakes import at_cursor

from lsp_server.trim.empty_comments import without_empty_comments
from lsp_server.trim.view import View


@pytest.mark.parametrize(
    ("marked", "language", "text", "kept"),
    [
        ("│", "python", "x = 1\n#", "x = 1"),
        ("│", "python", "x = 1\n# \n\n#\n", "x = 1"),
        ("│", "python", "#", ""),
        ("#│", "python", " ", ""),
        ("│", "python", "#\n# why\nx = 1", "#\n# why\nx = 1"),
        ("│", "c", "f();\n//", "f();"),
        ("│", "c", "x\n#", "x\n#"),
        ("│", "python", "x = 1\n", "x = 1\n"),
    ],
    ids=["last", "several", "alone", "typed mark", "before words", "slashes", "no comment there", "none"],
)
def test_empty_comments_at_the_end_are_left_out(marked: str, language: str, text: str, kept: str) -> None:
    assert without_empty_comments(text, View(at_cursor(marked, language), True, "multi")) == kept
