"""The rate of requests, against a bucket of tokens kept in exact fractions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.tenancy.rates import Rate


class NaiveBucket:
    """The oracle: a bucket of `burst` tokens, filled at `rate`, in fractions."""

    def __init__(self, rate: Fraction, burst: int) -> None:
        self.rate, self.burst = rate, burst
        self.level, self.at = Fraction(burst), Fraction(0)

    def admits(self, now: Fraction) -> bool:
        self.level = min(Fraction(self.burst), self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


# Powers of two are exact in floating point, so both sides see the same numbers.
steps = st.lists(st.integers(0, 64), max_size=80)


@given(st.sampled_from([1, 2, 4, 8]), st.integers(1, 6), steps)
def test_it_admits_what_a_bucket_of_tokens_admits(per_second: int, burst: int, sixteenths: list[int]) -> None:
    rate, oracle, now = Rate(per_second, burst), NaiveBucket(Fraction(per_second), burst), Fraction(0)
    for step in sixteenths:
        now += Fraction(step, 16)
        admitted = rate.wait(float(now)) == 0.0
        if admitted:
            rate.take(float(now))
        assert admitted == oracle.admits(now)


@given(st.sampled_from([1, 2, 4, 8]), st.integers(1, 6))
def test_who_waits_as_long_as_told_is_admitted_and_not_sooner(per_second: int, burst: int) -> None:
    rate = Rate(per_second, burst)
    for _ in range(burst):
        assert rate.wait(0.0) == 0.0
        rate.take(0.0)
    wait = rate.wait(0.0)
    assert wait == 1 / per_second
    assert rate.wait(wait) == 0.0
    assert rate.wait(wait / 2) > 0.0


def test_another_figure_holds_at_once_and_what_was_taken_stays_taken() -> None:
    rate = Rate(1.0, 1)
    rate.take(0.0)
    rate.configure(10.0, 1)
    assert rate.wait(0.0) == pytest.approx(1.0)
    rate.take(1.0)
    assert rate.wait(1.0) == pytest.approx(0.1)


@given(st.floats(0.01, 10_000.0), st.integers(1, 100), st.floats(0.0, 1e7))
def test_a_burst_is_admitted_whole_and_nothing_more(per_second: float, burst: int, now: float) -> None:
    rate = Rate(per_second, burst)
    for _ in range(burst):
        assert rate.wait(now) == 0.0
        rate.take(now)
    assert rate.wait(now) > 0.0
