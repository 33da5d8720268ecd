"""A cut text of several lines loses its last line."""

from __future__ import annotations

from completion_fakes import at_cursor

from lsp_server.trim.unfinished import without_unfinished_line
from lsp_server.trim.view import View


def test_a_cut_text_of_several_lines_loses_its_last_line() -> None:
    assert without_unfinished_line("a = 1\nb = so", View(at_cursor("│"), False, "multi")) == "a = 1\n"


def test_a_whole_text_keeps_its_last_line() -> None:
    assert without_unfinished_line("a = 1\nb = 2", View(at_cursor("│"), True, "multi")) == "a = 1\nb = 2"


def test_a_single_cut_line_is_kept() -> None:
    assert without_unfinished_line("some_long_na", View(at_cursor("│"), False, "multi")) == "some_long_na"
