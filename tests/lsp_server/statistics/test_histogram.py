"""Times in buckets: how far off a quantile may be, and that they add up."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.statistics.histogram import AN_OCTAVE, HIGHEST, LOWEST, bucket, quantile_ms, upper_ms

TIMES = st.floats(0.07, 10_000.0)
RATIO = 2 ** (1 / AN_OCTAVE)


@given(TIMES)
def test_a_time_lies_in_its_bucket(milliseconds: float) -> None:
    number = bucket(milliseconds)
    assert upper_ms(number - 1) < milliseconds * (1 + 1e-9)
    assert milliseconds <= upper_ms(number) * (1 + 1e-9)


@given(st.floats(0.0))
def test_there_are_few_buckets_whatever_comes(milliseconds: float) -> None:
    if math.isfinite(milliseconds):
        assert LOWEST <= bucket(milliseconds) <= HIGHEST


@given(st.lists(TIMES, min_size=1), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_quantile_is_off_by_one_bucket_at_most(times: list[float], share: float) -> None:
    exact = sorted(times)[math.ceil(share * len(times)) - 1]
    estimate = quantile_ms(Counter(map(bucket, times)), share)
    assert estimate is not None
    assert exact / RATIO <= estimate * (1 + 1e-9)
    assert estimate <= exact * RATIO * (1 + 1e-9)


@given(st.lists(TIMES), st.lists(TIMES))
def test_histograms_of_two_sessions_add_up(one: list[float], other: list[float]) -> None:
    merged = Counter(map(bucket, one)) + Counter(map(bucket, other))
    assert quantile_ms(merged, 0.5) == quantile_ms(Counter(map(bucket, one + other)), 0.5)


def test_of_nothing_there_is_no_quantile() -> None:
    assert quantile_ms({}, 0.5) is None


@pytest.mark.parametrize(("milliseconds", "upper"), [(0.0, 0.0625), (1.0, 1.0), (100.0, 107.6347), (1e9, 16_384.0)])
def test_the_buckets_are_those_of_opentelemetry_at_scale_2(milliseconds: float, upper: float) -> None:
    assert upper_ms(bucket(milliseconds)) == pytest.approx(upper)
