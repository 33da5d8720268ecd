"""What is closed behind the cursor is not closed again."""

from __future__ import annotations

import pytest
from completion_fakes import at_cursor

from lsp_server.trim.brackets import without_present_closers
from lsp_server.trim.view import View


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
        ('f"here (│)', 'x) is {y}"', "x"),
        ('f"here (│)', '{f(x)}) is"', "{f(x)}"),
        ('print("hello│)', ' :) world")', ' :) world"'),
        ("f(│)", '")", 1)', '")", 1'),
        ("if a {\n    │\n}\n", "f();\n}", "f();\n"),
        ("if a {\n    │\n}\n", "if b {\n        f();\n    }", "if b {\n        f();\n    }"),
        ("# it's │\n", "don't (a)", "don't (a)"),
    ],
)
def test_what_is_closed_behind_the_cursor_is_not_closed_again(marked: str, text: str, kept: str) -> None:
    assert without_present_closers(text, View(at_cursor(marked, "javascript"), True, "multi")) == kept
