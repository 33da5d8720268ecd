"""Where several lines are suggested, and where a suggestion ends."""

from __future__ import annotations

import pytest
from completion_fakes import CURSOR, at_cursor

from lsp_server.multiline import MAX_LINES, choose_lines, end_of


@pytest.mark.parametrize(
    ("marked", "language", "lines"),
    [
        ("def f():│", "python", "multi"),
        ("def f():\n    │", "python", "multi"),
        ("x = 1│", "python", "single"),
        ("if (a) {│", "javascript", "multi"),
        ("const f = () =>│", "javascript", "multi"),
        ("x = │ + 1", "python", "single"),
        ("def f│", "ruby", "multi"),
        ("f(│", "python", "multi"),
        ("f(│)", "python", "single"),
    ],
)
def test_lines_are_chosen_by_what_is_before_and_behind_the_cursor(marked: str, language: str, lines: str) -> None:
    assert choose_lines(at_cursor(marked, language), invoked=False) == lines


def test_who_asks_explicitly_gets_several_lines_but_never_in_the_middle_of_one() -> None:
    assert choose_lines(at_cursor("x = 1│"), invoked=True) == "multi"
    assert choose_lines(at_cursor("f(│)"), invoked=True) == "multi"
    assert choose_lines(at_cursor("x = │ + y"), invoked=True) == "single"


@pytest.mark.parametrize(
    ("marked", "generated"),
    [
        ("def f():│", "\n    a = 1\n\n    return a│\n\n\ndef g():"),
        ("def f():\n    │", "a = 1\n    return a│\ndef g():\n"),
        ("    if a {│", "\n        b();\n    }│\n    c();"),
        ("│", "a = 1\nb = 2│\n\nc = 3"),
        ("def f():\n    │\n    return total\n", "total = 1│\n    return total\n"),
        ("x = (│", "\n    1,\n)│\ny = 2\n"),
    ],
    ids=["block", "dedent", "closing line", "paragraph", "line below", "bracket"],
)
def test_a_block_ends_where_what_follows_is_not_part_of_it(marked: str, generated: str) -> None:
    wanted, _, rest = generated.partition(CURSOR)
    assert end_of(at_cursor(marked), wanted + rest, "multi") == len(wanted)


def test_a_block_that_may_go_on_has_no_end_yet() -> None:
    assert end_of(at_cursor("def f():│"), "\n    a = 1\n    b = ", "multi") is None


def test_a_block_is_no_longer_than_can_be_read() -> None:
    generated = "\n" + "    a = 1\n" * (MAX_LINES + 5)
    end = end_of(at_cursor("def f():│"), generated, "multi")
    assert end is not None
    assert generated[:end].count("a = 1") == MAX_LINES
