"""White space at the end is not suggested."""

from __future__ import annotations

import pytest
from completion_fakes import at_cursor

from lsp_server.trim.view import View
from lsp_server.trim.white_space import without_trailing_space


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [("│", "a = 1  \n\n", "a = 1"), ("f(│, b)", "a ", "a "), ("│\n", "  x\t", "  x")],
)
def test_white_space_at_the_end_is_not_suggested_unless_code_follows(marked: str, text: str, kept: str) -> None:
    assert without_trailing_space(text, View(at_cursor(marked), True, "multi")) == kept
