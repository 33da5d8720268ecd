"""Tests of paired differences."""

from __future__ import annotations

import pytest

from benchmarks.paired import mcnemar, sign_flip


@pytest.mark.parametrize(
    ("won", "lost", "p"), [(0, 0, 1.0), (1, 1, 1.0), (5, 0, 2 / 32), (10, 2, 2 * (1 + 12 + 66) / 4096)]
)
def test_mcnemar_counts_the_pairs_in_which_just_one_is_right(won: int, lost: int, p: float) -> None:
    mine = [True] * won + [False] * lost + [True, False]
    theirs = [False] * won + [True] * lost + [True, False]
    assert mcnemar(mine, theirs) == pytest.approx(p)


def test_the_two_sides_of_a_pair_may_be_exchanged() -> None:
    mine, theirs = [True] * 7 + [False] * 2, [False] * 7 + [True] * 2
    assert mcnemar(mine, theirs) == mcnemar(theirs, mine)


def test_differences_that_go_one_way_are_no_chance_and_balanced_ones_are() -> None:
    assert sign_flip([1.0] * 20) < 0.001
    assert sign_flip([1.0, -1.0] * 10) == 1.0
    assert sign_flip([0.0] * 5) == 1.0


def test_few_differences_prove_nothing() -> None:
    assert sign_flip([3.0, 1.0, 2.0]) == pytest.approx(0.25, abs=0.02)
