"""Which lines hold code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.quality.code_lines import Lines, code_lines, docstring_lines


def code(text: str, language: str) -> list[str]:
    lines = Lines.of(text)
    return [lines.at(index).strip() for index in code_lines(lines, language)]


PYTHON = '''"""What it is.

More of it.
"""
# A comment.
def f():
    """One line."""
    text = """a
    value"""
    return (
        text
    )
'''


def test_docstrings_comments_and_lone_brackets_hold_no_code() -> None:
    assert code(PYTHON, "python") == ["def f():", 'text = """a', 'value"""', "return (", "text"]


def test_text_that_is_no_python_has_no_docstrings() -> None:
    assert docstring_lines('def (\n"""a\nb"""\n') == frozenset()


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("c", "/* a\n * b\n */\nint x;  // c\n// d\n*p = 1;\n", ["int x;  // c", "*p = 1;"]),
        ("yaml", "# a\nkey: 1\n", ["key: 1"]),
        ("markdown", "# Title\n<!-- a -->\ntext\n", ["# Title", "text"]),
        ("unknown", "# a\n", ["# a"]),
    ],
)
def test_each_language_has_its_own_comments(language: str, text: str, expected: list[str]) -> None:
    assert code(text, language) == expected


def test_a_line_that_nobody_types_is_left_out() -> None:
    assert code("x" * 201 + "\n" + "y" * 200, "python") == ["y" * 200]


@given(st.text(st.sampled_from("ab \t\n\x0c\u2028"), max_size=60))
def test_lines_are_those_that_newlines_alone_separate(text: str) -> None:
    lines = Lines.of(text)
    whole = text.split("\n")
    assert [lines.at(index) for index in range(len(lines))] == whole
    for index, line in enumerate(whole):
        assert text[lines.first(index) : lines.last(index)].strip() == line.strip()
        assert lines.blank(index) == (not line.strip())
        assert lines.index(lines.starts[index]) == index
