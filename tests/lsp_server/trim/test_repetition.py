"""Circles are left after their first round."""

from __future__ import annotations

import pytest
from completion_fakes import at_cursor

from lsp_server.trim.repetition import goes_round, without_repetition
from lsp_server.trim.view import View


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
    assert without_repetition(text, View(at_cursor("│"), True, "multi")) == kept


@pytest.mark.parametrize(
    ("text", "round_"),
    [
        ('f("-m"' + ', "-m"' * 9, True),
        ('f("-m"' + ', "-m"' * 4, False),
        ('f("-m"' + ', "-m"' * 9 + ")", False),
        ("i" * 12, True),
        ("a = first_value(items)\n" * 3, True),
        ("a = first_value(items)\nb = second_value(items)\nc = third_value(items)\n", False),
        ("# " + "-" * 70, False),
    ],
)
def test_a_growing_text_is_left_when_it_has_gone_round_for_long(text: str, round_: bool) -> None:
    assert goes_round(text) is round_
