"""Each trim filter, with the cursor as `│` in the code it is about."""

from __future__ import annotations

import pytest
from completion_fakes import at_cursor

from lsp_server.trim import trim
from lsp_server.trim.brackets import without_present_closers
from lsp_server.trim.duplicates import without_lines_below
from lsp_server.trim.line_ends import with_plain_line_ends
from lsp_server.trim.repetition import without_repetition
from lsp_server.trim.rest_of_line import without_rest_of_line
from lsp_server.trim.single_line import only_one_line
from lsp_server.trim.unfinished import without_unfinished_line
from lsp_server.trim.view import View
from lsp_server.trim.white_space import without_trailing_space
from wire_protocol.frames import Lines


def view(marked: str, *, complete: bool = True, lines: Lines = "multi", language: str = "python") -> View:
    return View(at_cursor(marked, language), complete, lines)


def test_carriage_returns_are_never_inserted() -> None:
    assert with_plain_line_ends("a\r\nb\rc\ud800", view("│")) == "a\nb\nc\N{REPLACEMENT CHARACTER}"


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
    assert only_one_line(text, view(marked, lines="single")) == kept


def test_a_cut_text_of_several_lines_loses_its_last_line() -> None:
    assert without_unfinished_line("a = 1\nb = so", view("│", complete=False)) == "a = 1\n"


def test_a_whole_text_keeps_its_last_line() -> None:
    assert without_unfinished_line("a = 1\nb = 2", view("│")) == "a = 1\nb = 2"


def test_a_single_cut_line_is_kept() -> None:
    assert without_unfinished_line("some_long_na", view("│", complete=False)) == "some_long_na"


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
    assert without_lines_below(text, view(marked)) == kept


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [
        ("print(│)", "a, b)", "a, b"),
        ("print(│)", "f(a), b)", "f(a), b"),
        ("print(│)", "f(a", "f(a"),
        ("x = [│]", "1, 2]\ny", "1, 2"),
        ('print("│")', 'hello")', "hello"),
        ('print("│")', r"say \"hi\" now", r"say \"hi\" now"),
        ("print(│", "a)", "a)"),
        ("f(│)", '")", 1)', '")", 1'),
        ("if a {\n    │\n}\n", "f();\n}", "f();\n"),
        ("if a {\n    │\n}\n", "if b {\n        f();\n    }", "if b {\n        f();\n    }"),
        ("# it's │\n", "don't (a)", "don't (a)"),
    ],
)
def test_what_is_closed_behind_the_cursor_is_not_closed_again(marked: str, text: str, kept: str) -> None:
    assert without_present_closers(text, view(marked, language="javascript")) == kept


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
    assert without_rest_of_line(text, view(marked)) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("f()\nf()\nf()\nf()", "f()"),
        ("a\nb\na\nb\na\nb\n", "a\nb"),
        ("f()\nf()\ng()", "f()\nf()\ng()"),
        ("self.self.self.self.self.self.self.x", "self."),
        ("# " + "-" * 60, "# " + "-" * 60),
        ("    \n\n\n\nx", "    \n\n\n\nx"),
        ("size, " + "d" * 40, "size, "),
        ("0x00000000", "0x00000000"),
        ("wraps a function to a function to a function to a function", "wraps a function to"),
        ("None, None, None, None", "None, None, None, None"),
    ],
    ids=[
        "a line",
        "a block",
        "twice is code",
        "within a line",
        "a rule",
        "blank lines",
        "a run",
        "a number",
        "a phrase",
        "arguments",
    ],
)
def test_a_circle_is_left_after_its_first_round(text: str, kept: str) -> None:
    assert without_repetition(text, view("│")) == kept


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [("│", "a = 1  \n\n", "a = 1"), ("f(│, b)", "a ", "a "), ("│\n", "  x\t", "  x")],
)
def test_white_space_at_the_end_is_not_suggested_unless_code_follows(marked: str, text: str, kept: str) -> None:
    assert without_trailing_space(text, view(marked)) == kept


@pytest.mark.parametrize("text", ["", "  ", "\n\n", ")"], ids=["empty", "spaces", "lines", "closed already"])
def test_a_text_of_which_nothing_is_left_is_no_suggestion(text: str) -> None:
    assert trim(at_cursor("f(│)"), text, True, "single") is None


def test_the_filters_together_give_what_fits_at_the_cursor() -> None:
    context = at_cursor("def f(a, b):\n    return g(│)\n\n\nx = 1\n")
    assert trim(context, "a, b)\r\n\r\n\r\nx = 1\r\n", True, "single") == "a, b"
