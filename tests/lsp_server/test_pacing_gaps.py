"""The times between keys, against the samples themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.keys import Boundary
from lsp_server.pacing_gaps import BACK_OFF_KEYS, BINS_PER_OCTAVE, MIN_KEYS, Gaps

BIN = 2 ** (1 / BINS_PER_OCTAVE)


def gaps_of(seconds: list[float], boundary: Boundary = Boundary.WORD) -> Gaps:
    gaps = Gaps(half_life_keys=0)
    for each in seconds:
        gaps.add(boundary, each)
    return gaps


@given(st.lists(st.floats(0.02, 9.0), min_size=1, max_size=60), st.floats(0.02, 9.0))
def test_the_chance_of_a_longer_gap_is_the_share_of_longer_samples_to_within_a_bin(
    samples: list[float], seconds: float
) -> None:
    share = gaps_of(samples).longer(Boundary.WORD, seconds)
    assert sum(each > seconds * BIN * 1.001 for each in samples) / len(samples) <= share + 1e-9
    assert share - 1e-9 <= sum(each > seconds / BIN / 1.001 for each in samples) / len(samples)


@given(st.lists(st.floats(0.001, 30.0), max_size=60), st.lists(st.floats(0.0, 30.0), min_size=2, max_size=8))
def test_a_longer_gap_is_never_more_likely_than_a_shorter_one(samples: list[float], at: list[float]) -> None:
    gaps = gaps_of(samples)
    shares = [gaps.longer(Boundary.DOT, each) for each in sorted(at)]
    assert all(0.0 <= share <= 1.0 for share in shares)
    assert shares == sorted(shares, reverse=True)


@given(st.lists(st.floats(0.02, 9.0), min_size=1, max_size=40), st.floats(0.0, 5.0), st.floats(0.0, 5.0))
def test_a_pause_that_lasts_is_no_less_likely_to_reach_the_same_end(
    samples: list[float], quiet_s: float, more_s: float
) -> None:
    gaps = gaps_of(samples)
    assert gaps.outlasts(Boundary.WORD, quiet_s, more_s) >= gaps.longer(Boundary.WORD, quiet_s + more_s) - 1e-9


def test_a_boundary_never_seen_is_as_all_of_them() -> None:
    gaps = gaps_of([0.1] * 50 + [1.0] * 50)
    assert gaps.longer(Boundary.LINE, 0.5) == pytest.approx(0.5)


def test_a_boundary_that_differs_weighs_as_much_as_it_was_seen() -> None:
    gaps = gaps_of([0.1] * 1_000)
    for _ in range(BACK_OFF_KEYS):
        gaps.add(Boundary.DOT, 2.0)
    assert gaps.longer(Boundary.DOT, 1.0) == pytest.approx(0.5, abs=0.01)
    assert gaps.longer(Boundary.WORD, 1.0) < 0.01


def test_another_rhythm_replaces_the_old_one() -> None:
    gaps = Gaps(half_life_keys=50)
    for seconds in [0.1] * 500 + [0.8] * 200:
        gaps.add(Boundary.WORD, seconds)
    assert gaps.longer(Boundary.WORD, 0.4) > 0.9


def test_nothing_is_known_of_a_few_keys() -> None:
    assert not gaps_of([0.1] * (MIN_KEYS - 1)).known
    assert gaps_of([0.1] * MIN_KEYS).known
