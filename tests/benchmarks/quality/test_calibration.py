"""Confidence against correctness."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.quality import calibration
from benchmarks.quality.calibration import Sample, bins, calibration_error, thresholds

SAMPLES = st.lists(
    st.builds(Sample, st.floats(-5, 0), st.booleans(), st.booleans()),
    max_size=60,
)


def samples(*confidences: tuple[float, bool]) -> list[Sample]:
    return [Sample(math.log(confidence), right, right) for confidence, right in confidences]


@given(SAMPLES, st.integers(1, 12))
def test_bins_hold_every_suggestion_once_and_equally_many(of: list[Sample], count: int) -> None:
    found = bins(of, count)
    sizes = [one.exact.count for one in found]
    assert sum(sizes) == len(of)
    assert not sizes or max(sizes) - min(sizes) <= 1
    assert [one.low for one in found] == sorted(one.low for one in found)
    assert all(one.low <= one.confidence + 1e-12 and one.confidence <= one.high + 1e-12 for one in found)
    assert sum(one.exact.value * one.exact.count for one in found) == pytest.approx(sum(one.exact for one in of))


def test_the_error_is_the_mean_distance_of_confidence_and_correctness() -> None:
    of = samples((0.2, False), (0.4, False), (0.6, True), (1.0, True))
    # Two bins: confidence 0.3 with nothing right, and 0.8 with all right.
    assert calibration_error(bins(of, 2)) == pytest.approx((0.3 + 0.2) / 2)


def test_a_model_that_knows_has_no_error() -> None:
    assert calibration_error(bins(samples((1.0, True), (1.0, True)), 2)) == pytest.approx(0)


def test_the_error_of_nothing_is_unknown() -> None:
    assert math.isnan(calibration_error([]))


@given(SAMPLES)
def test_a_lower_threshold_shows_no_less_and_the_last_shows_all(of: list[Sample]) -> None:
    table = thresholds(of)
    shown = [round(one.shown.value * len(of)) if of else 0 for one in table]
    assert shown == sorted(shown)
    assert shown[-1] == len(of)
    for one in table:
        passing = [sample for sample in of if sample.mean_logprob >= one.mean_logprob]
        assert one.exact.count == one.right.count == len(passing)
        if passing:
            assert one.exact.value == pytest.approx(sum(sample.exact for sample in passing) / len(passing))


def test_precision_and_share_at_a_threshold() -> None:
    (found,) = thresholds(samples((0.9, True), (0.8, False), (0.5, True), (0.1, False)), [math.log(0.7)])
    assert (found.shown.value, found.exact.value, found.kept.value) == (0.5, 0.5, 0.5)


@given(SAMPLES)
def test_the_json_has_no_value_that_json_does_not_know(of: list[Sample]) -> None:
    text = json.dumps(calibration.to_json(of), allow_nan=False)
    assert json.loads(text)["suggestions"] == len(of)
