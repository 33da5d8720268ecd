"""Indentation is the file's own, once, and deeper in a block."""

from __future__ import annotations

import pytest
from completion_fakes import at_cursor

from lsp_server.trim.indent import with_the_files_indentation
from lsp_server.trim.view import View


@pytest.mark.parametrize(
    ("marked", "language", "text", "kept"),
    [
        ("if a:\n    b()\nif c:│", "python", "\n\td()\n\tif e:\n\t\tf()", "\n    d()\n    if e:\n        f()"),
        ("a {\n\tb\n}\nc {│", "go", "\n    d\n    e {\n        f", "\n\td\n\te {\n\t\tf"),
        ("a {\n\tb\n  c\n}\nd {│", "c", "\n    e", "\n    e"),
        ("def f():│", "python", "\n\treturn", "\n\treturn"),
        ("def f():\n    │", "python", "    return 1", "return 1"),
        ("def f():\n    a = 1\n    │", "python", "    return 1", "return 1"),
        ("def f():\n    a = 1\ndef g():\n  │", "python", "  return 1", "  return 1"),
        ("    x = f(\n    │", "python", "    1", "    1"),
        ("    a\n    │", "javascript", "    .b()", "    .b()"),
        ("def f():│", "python", "\nreturn 1", ""),
        ("    def f():│", "python", "\n    return 1", ""),
        ("def f():│", "python", " return 1", " return 1"),
        ("if (a) {│", "javascript", "\n}", "\n}"),
    ],
    ids=[
        "spaces for tabs",
        "tabs for spaces",
        "a mixed file",
        "a file that shows nothing",
        "twice, below an opener",
        "twice",
        "half a step is typed",
        "within brackets",
        "a chain",
        "not deeper",
        "not deeper than the method",
        "on the line itself",
        "braces",
    ],
)
def test_indentation_is_as_the_file_has_it(marked: str, language: str, text: str, kept: str) -> None:
    assert with_the_files_indentation(text, View(at_cursor(marked, language), True, "multi")) == kept
