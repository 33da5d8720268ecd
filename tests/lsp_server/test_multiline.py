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
        ("def f():│", "\n    a = 1\n\n    b = a│\n\n\ndef g():"),
        ("def f():\n    │", "a = 1\n    b = a│\ndef g():\n"),
        ("│", "a = 1\nb = 2│\n\nc = 3"),
        ("│", "def f():\n    a = 1\n\n    b = 2│\n\n\nc = 3"),
        ("│", "def f():\n    a = 1│\n\nc = 3"),
        ("def f():\n    │\n    return total\n", "total = 1│\n    return total\n"),
        ("x = (│", "\n    1,\n)│\ny = 2\n"),
        ('def f():\n    """│', 'Sums up.\n\n    Two more words.\n    """\n    a = 1│\n\n    b = 2\n'),
        ("def f():│", '\n    sql = """\nselect 1\n"""\n    g()│\ng()\n'),
        ("def f():│", "\n    return 1│\n"),
        ("def f():\n    a = 1\n    │", "if a:\n        return 1\n    return (\n        2\n    )│\n\n"),
        ("for a in b:\n    │", "c(a)\n    continue│\n"),
    ],
    ids=[
        "block",
        "dedent",
        "paragraph",
        "a blank line within",
        "back at the paragraph",
        "line below",
        "bracket",
        "doc comment",
        "string",
        "a return that nothing can follow",
        "a return in a branch, and one of several lines",
        "continue",
    ],
)
def test_a_block_ends_where_what_follows_is_not_part_of_it(marked: str, generated: str) -> None:
    wanted, _, rest = generated.partition(CURSOR)
    assert end_of(at_cursor(marked), wanted + rest, "multi") == len(wanted)


@pytest.mark.parametrize(
    ("marked", "generated"),
    [
        ("    if a {│", "\n        b();\n    }│\n    c();"),
        ("if (a) {│", "\n  b();\n} else {\n  c();\n}│\nd();"),
        ("useEffect(() => {│", "\n  a();\n}, [a]);│\nb();"),
        ("f(a => {│", "\n  b();\n}).then(() => {\n  c();\n});│\nd();"),
        ("/**│", "\n * Sums up.\n */\nfunction f() {\n  return 1;\n}│\n\nf();"),
        ("function f() {\n  │\n}\n", "return 1;│\n"),
        ("const a = () => {│", "\n  return `\nb\n`;\n};│\nc();"),
        ("function f() {\n  │\n}\n", "a();\n  b()│\n}\n"),
    ],
    ids=[
        "closing line",
        "else",
        "arguments after it",
        "a chain",
        "doc comment",
        "nothing can follow",
        "string",
        "closed below",
    ],
)
def test_a_block_in_braces_ends_with_what_closes_it(marked: str, generated: str) -> None:
    wanted, _, rest = generated.partition(CURSOR)
    assert end_of(at_cursor(marked, "javascript"), wanted + rest, "multi") == len(wanted)


@pytest.mark.parametrize(
    ("marked", "generated"),
    [
        ("def f():│", "\n    a = 1\n\n    return a│\n"),
        ("if (a) {│", "\n  b();\n} else {\n  c();\n}│\n"),
        ("function f() {\n  │\n}\n", "return 1;│\n"),
    ],
)
def test_the_stream_is_stopped_at_the_line_end_that_completes_the_block(marked: str, generated: str) -> None:
    wanted, _, rest = generated.partition(CURSOR)
    language = "python" if "def" in marked else "javascript"
    for length in range(len(wanted) + 1):
        assert end_of(at_cursor(marked, language), wanted[:length], "multi") is None
    assert end_of(at_cursor(marked, language), wanted + rest, "multi") == len(wanted)


def test_a_block_that_may_go_on_has_no_end_yet() -> None:
    assert end_of(at_cursor("def f():│"), "\n    a = 1\n    b = ", "multi") is None


def test_a_block_is_no_longer_than_can_be_read() -> None:
    generated = "\n" + "    a = 1\n" * (MAX_LINES + 5)
    end = end_of(at_cursor("def f():│"), generated, "multi")
    assert end is not None
    assert generated[:end].count("a = 1") == MAX_LINES
