"""How much of an inserted text still stands."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.statistics.kept import MAX_LEXEMES, Kept, common, judge, share

WORDS = st.lists(st.sampled_from("abcd"), max_size=12)


@pytest.mark.parametrize(
    ("inserted", "now", "kept"),
    [
        ("return total", "return total", Kept.UNCHANGED),
        ("return total", "return  total\n", Kept.MOSTLY),
        ("return total / count", "return total / number", Kept.MOSTLY),
        ("return total", "return", Kept.MOSTLY),
        ("return total", "log(x)\n    return result + total", Kept.MOSTLY),
        ("return total / count", "raise ValueError", Kept.GONE),
        ("return total", "", Kept.GONE),
        ("\n", "", Kept.MOSTLY),
        ("naïve = größe", "naïve = 3", Kept.MOSTLY),
    ],
)
def test_a_text_is_unchanged_mostly_there_or_gone(inserted: str, now: str, kept: Kept) -> None:
    assert judge(inserted, now) is kept


def test_the_share_counts_lexemes_in_their_order() -> None:
    assert share("a b c d", "d a b") == 0.5


def naive(one: list[str], other: list[str]) -> int:
    if not one or not other:
        return 0
    if one[0] == other[0]:
        return 1 + naive(one[1:], other[1:])
    return max(naive(one[1:], other), naive(one, other[1:]))


@given(WORDS.filter(lambda words: len(words) < 8), WORDS.filter(lambda words: len(words) < 8))
def test_the_bits_find_the_longest_common_subsequence(one: list[str], other: list[str]) -> None:
    assert common(one, other) == naive(one, other)


def test_the_longest_comparison_takes_milliseconds() -> None:
    one, other = "( ) , " * MAX_LEXEMES, ", ( " * MAX_LEXEMES
    began = time.perf_counter()
    share(one, other)
    assert time.perf_counter() - began < 0.25
