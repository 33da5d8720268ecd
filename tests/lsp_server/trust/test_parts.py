"""Where a suggestion may be cut short."""

from __future__ import annotations

import pytest

from lsp_server.trust.parts import part_ends, whole_lines, whole_parts


def test_it_may_be_cut_behind_each_word_and_each_run_of_signs() -> None:
    text = "total = sum(values)"
    assert [text[:end] for end in part_ends(text)] == [
        "total",
        "total =",
        "total = sum",
        "total = sum(",
        "total = sum(values",
        "total = sum(values)",
    ]


def test_blanks_at_the_end_are_no_part() -> None:
    assert list(part_ends("x  \n")) == [1]


@pytest.mark.parametrize(
    ("text", "whole"),
    [("a = 1\nb =", "a = 1"), ("\n    a =", "\n    a ="), ("a = 1", "a = 1"), ("\na = 1\nb", "\na = 1")],
)
def test_half_a_line_below_whole_ones_goes(text: str, whole: str) -> None:
    assert whole_lines(text) == whole


@pytest.mark.parametrize(("text", "whole"), [("value + oth", "value +"), ("val", ""), ("", "")])
def test_the_last_part_of_a_cut_text_may_be_half_a_word_and_goes(text: str, whole: str) -> None:
    assert whole_parts(text) == whole
