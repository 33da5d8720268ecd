"""The lines above are not written again."""

from __future__ import annotations

import pytest
from completion_fakes import at_cursor

from lsp_server.trim.rewrites import without_rewritten_lines
from lsp_server.trim.view import View


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [
        ("total = sum(values)\n│", "total = sum(values)\nmore()", ""),
        ("total = sum(values)\n\ntot│", "al = sum(values)", ""),
        ("alpha = b + 1\nc = d + 2\n│", "alpha = b + 1\nc = d + 2\n", ""),
        ("total = sum(values)\n│", "total = sum(others)", "total = sum(others)"),
        ("    pass\n│", "    pass", "    pass"),
        ("total = sum(values)\nf()\n│", "total = sum(values)", "total = sum(values)"),
        ("│", "total = sum(values)", "total = sum(values)"),
    ],
    ids=["the line above", "as it is typed", "two lines", "a like line", "a short line", "further above", "none above"],
)
def test_the_lines_above_are_not_written_again(marked: str, text: str, kept: str) -> None:
    assert without_rewritten_lines(text, View(at_cursor(marked), True, "multi")) == kept
