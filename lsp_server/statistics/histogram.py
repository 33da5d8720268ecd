"""Times in buckets that grow by a fixed ratio, so that those of several processes and days add up; pure.

The buckets are those of OpenTelemetry's exponential histogram at scale 2 (its metrics data model, "Exponential Scale"):
bucket n holds times above 2^((n-1)/4) and up to 2^(n/4) milliseconds, so a quantile is off by 19 % at most.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

AN_OCTAVE: Final = 4
"""Buckets between a time and its double: 2^scale."""
LOWEST: Final = -4 * AN_OCTAVE
"""The bucket of everything up to 1/16 ms: the cache answers in about that."""
HIGHEST: Final = 14 * AN_OCTAVE
"""The bucket of everything above 13.8 s: an explicit request gives up after 8."""


def bucket(milliseconds: float) -> int:
    """The number of the bucket that a time falls into."""
    if milliseconds <= upper_ms(LOWEST):
        return LOWEST
    return min(HIGHEST, math.ceil(AN_OCTAVE * math.log2(milliseconds)))


def upper_ms(number: int) -> float:
    """The longest time of a bucket, in milliseconds."""
    return float(2.0 ** (number / AN_OCTAVE))


def quantile_ms(counts: Mapping[int, int], share: float) -> float | None:
    """The time that `share` (above 0, up to 1) of those in the buckets do not exceed; None where there are none.

    Times are taken to lie evenly in their bucket, as Prometheus's `histogram_quantile` does.
    """
    total = sum(counts.values())
    if total <= 0:
        return None
    rank, below = share * total, 0
    for number in sorted(counts):
        count = counts[number]
        if count and below + count >= rank:
            lower = 0.0 if number == LOWEST else upper_ms(number - 1)
            return lower + (upper_ms(number) - lower) * (rank - below) / count
        below += count
    return upper_ms(max(counts))
