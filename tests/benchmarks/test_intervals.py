"""The intervals that all benches report."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import intervals


def test_the_interval_of_a_share_is_wilsons() -> None:
    tenth = intervals.share([True] * 10 + [False] * 90)
    assert (round(tenth.low, 4), tenth.value, round(tenth.high, 4)) == (0.0552, 0.1, 0.1744)


@given(st.lists(st.booleans(), min_size=1))
def test_wilsons_ends_are_the_shares_from_which_the_value_is_just_z_deviations_away(hits: list[bool]) -> None:
    found = intervals.share(hits)
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value <= found.high + 1e-12 <= 1 + 1e-9
    for end in (found.low, found.high):
        if 1e-9 < end < 1 - 1e-9:
            deviations = abs(found.value - end) / math.sqrt(end * (1 - end) / found.count)
            assert deviations == pytest.approx(intervals.Z, rel=1e-6)


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=30))
def test_a_mean_lies_in_its_interval_and_the_interval_in_the_values(values: list[float]) -> None:
    found = intervals.mean(values)
    assert found.value == pytest.approx(math.fsum(values) / len(values), abs=1e-9)
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9


def test_a_bootstrap_gives_the_same_interval_every_time() -> None:
    values = [0.1, 0.9, 0.4, 0.7]
    assert intervals.mean(values) == intervals.mean(values)


def test_the_bootstrap_of_many_values_is_about_the_normal_interval() -> None:
    values = [float(number % 10) for number in range(1_000)]
    found = intervals.mean(values)
    spread = intervals.Z * math.sqrt(8.25 / 1_000)  # the variance of 0 to 9 is 8.25
    assert found.low == pytest.approx(4.5 - spread, abs=0.02)
    assert found.high == pytest.approx(4.5 + spread, abs=0.02)


def test_a_ratio_is_of_sums_and_not_a_mean_of_ratios() -> None:
    assert intervals.ratio([0, 90], [10, 90]).value == 0.9


def test_a_ratio_needs_a_whole_for_every_part() -> None:
    with pytest.raises(ValueError, match="as many wholes"):
        intervals.ratio([1.0], [])


def test_of_nothing_nothing_is_known_and_json_says_so() -> None:
    for nothing in (intervals.share([]), intervals.mean([])):
        assert nothing.to_json() == {"value": None, "low": None, "high": None, "count": 0}
