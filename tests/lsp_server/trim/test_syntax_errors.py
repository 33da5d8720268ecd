"""A suggestion brings no syntax error of its own."""

from __future__ import annotations

import pytest
from completion_fakes import at_cursor

from lsp_server.trim import syntax_errors
from lsp_server.trim.syntax_errors import without_syntax_errors
from lsp_server.trim.view import View


@pytest.mark.parametrize(
    ("marked", "language", "text", "kept"),
    [
        ("def f():\n    │\n", "python", "a = 1\n    b = = 2\n    c = 3\n    d = 4", "a = 1"),
        ("x = │\n", "python", "f(a b c) + 1", ""),
        ("x = │\n", "python", "f(a, b) + 1", "f(a, b) + 1"),
        ("if a:│\n\nb()\n", "python", "\n    c(\n", "\n    c(\n"),
        ("x = = 1\ny = │\n", "python", "f(a b c) + 1", "f(a b c) + 1"),
        ("f();\n│\n", "javascript", "let a = 1;\nlet 2b = ;\ng();", "let a = 1;"),
        ("function f() {\n  │\n", "javascript", "g();\n  h();", "g();\n  h();"),
        ("│", "c", "LOCAL void f(A) int x; { g(); }", "LOCAL void f(A) int x; { g(); }"),
        ("│", "fortran", "(((a b c", "(((a b c"),
    ],
    ids=[
        "in a later line",
        "in the only line",
        "none",
        "at its end",
        "the file has its own",
        "braces",
        "a block that is not closed yet",
        "macros",
        "no grammar",
    ],
)
def test_an_error_inside_a_suggestion_ends_it(marked: str, language: str, text: str, kept: str) -> None:
    assert without_syntax_errors(text, View(at_cursor(marked, language), True, "multi")) == kept


def test_while_a_suggestion_is_typed_through_it_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = []
    real = syntax_errors.parse
    monkeypatch.setattr(syntax_errors, "parse", lambda *args: (parsed.append(args), real(*args))[1])
    text = "one_of_a_kind(a, b)"
    for typed in range(len(text)):
        without_syntax_errors(text[typed:], View(at_cursor(f"x = {text[:typed]}│\n"), True, "single"))
    assert len(parsed) == 1
