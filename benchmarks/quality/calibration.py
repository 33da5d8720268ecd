"""Whether a model knows when it is right: mean log-probability against correctness; pure.

Confidence is exp(mean log-probability of the suggestion's tokens): the geometric mean of their probabilities, which
the worker's `done` carries. It is not meant as the chance that the whole suggestion is right; the curve shows what
that chance is, and the threshold table what a client gains by hiding what is below a threshold.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.intervals import Estimate, share
from benchmarks.quality.measures import Judged

BINS: Final = 10
THRESHOLDS: Final = (-0.05, -0.1, -0.15, -0.2, -0.3, -0.4, -0.5, -0.7, -1.0, -1.5, -2.0, -math.inf)
"""Mean log-probabilities (natural) at which a client could begin to show."""


@dataclass(frozen=True)
class Sample:
    """One suggestion that says something: how sure the model was, and whether it was right."""

    mean_logprob: float
    exact: bool
    right: bool
    """Right up to its end: what a person accepts."""

    @property
    def confidence(self) -> float:
        """exp(mean log-probability), from 0 to 1."""
        return math.exp(min(0.0, self.mean_logprob))


@dataclass(frozen=True)
class Bin:
    """Suggestions of similar confidence: its bounds, its mean, and how often they were exactly right."""

    low: float
    high: float
    confidence: float
    exact: Estimate


@dataclass(frozen=True)
class Threshold:
    """What is shown if only suggestions with at least this mean log-probability are."""

    mean_logprob: float
    shown: Estimate
    """The share of all suggestions that are shown."""
    exact: Estimate
    """Of those shown, the share that is exactly right."""
    right: Estimate
    """Of those shown, the share that is right up to its end."""
    kept: Estimate
    """Of those right up to their end, the share that is shown."""


def samples(judged: Sequence[Judged]) -> list[Sample]:
    """The suggestions that say something and whose log-probability is known."""
    return [
        Sample(one.mean_logprob, one.exact, one.right)
        for one in judged
        if one.mean_logprob is not None and one.typed.first.text.strip()
    ]


def bins(of: Sequence[Sample], count: int = BINS) -> list[Bin]:
    """Bins that hold equally many suggestions to within one, least confident first; fewer where there are too few."""
    ordered = sorted(of, key=lambda sample: sample.confidence)
    count = min(count, len(ordered))
    edges = [len(ordered) * number // count for number in range(count + 1)] if count else []
    parts = [ordered[start:end] for start, end in itertools.pairwise(edges)]
    return [
        Bin(
            part[0].confidence,
            part[-1].confidence,
            math.fsum(sample.confidence for sample in part) / len(part),
            share([sample.exact for sample in part]),
        )
        for part in parts
    ]


def calibration_error(of: Sequence[Bin]) -> float:
    """The expected calibration error: mean distance of confidence and correctness, bins weighted by their size.

    Source: Naeini, Cooper and Hauskrecht, 2015 (AAAI). NaN without bins.
    """
    total = sum(one.exact.count for one in of)
    if not total:
        return math.nan
    return math.fsum(abs(one.confidence - one.exact.value) * one.exact.count for one in of) / total


def thresholds(of: Sequence[Sample], at: Sequence[float] = THRESHOLDS) -> list[Threshold]:
    """For each threshold what a client that shows only surer suggestions would show."""
    table = []
    for threshold in at:
        passing = [sample for sample in of if sample.mean_logprob >= threshold]
        table.append(
            Threshold(
                threshold,
                share([sample.mean_logprob >= threshold for sample in of]),
                share([sample.exact for sample in passing]),
                share([sample.right for sample in passing]),
                share([sample.mean_logprob >= threshold for sample in of if sample.right]),
            )
        )
    return table


def to_json(of: Sequence[Sample]) -> dict[str, Any]:
    """The curve, its error and the threshold table as plain values; the last threshold, which shows all, is null."""
    curve = bins(of)
    error = calibration_error(curve)
    return {
        "suggestions": len(of),
        "expected_calibration_error": None if math.isnan(error) else round(error, 5),
        "bins": [
            {
                "low": round(one.low, 5),
                "high": round(one.high, 5),
                "confidence": round(one.confidence, 5),
                "exact": one.exact.to_json(),
            }
            for one in curve
        ],
        "thresholds": [
            {
                "mean_logprob": None if math.isinf(one.mean_logprob) else one.mean_logprob,
                "shown": one.shown.to_json(),
                "exact": one.exact.to_json(),
                "right": one.right.to_json(),
                "kept": one.kept.to_json(),
            }
            for one in thresholds(of)
        ],
    }
