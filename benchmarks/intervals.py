"""95 % intervals of what the benches report: Wilson's for shares, a seeded bootstrap for means and ratios; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

Z: Final = 1.959964
"""Standard deviations on either side that hold 95 % of a normal distribution."""
RESAMPLES: Final = 2_000
"""Of a bootstrap: the ends of the interval are then themselves known to about a twentieth of its width."""
SEED: Final = 20_261_121
TAILS: Final = (2.5, 97.5)


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval, over `count` observations; all three are NaN where there are none."""

    value: float
    low: float
    high: float
    count: int

    def to_json(self) -> dict[str, object]:
        """Plain values; None for what is not known."""
        names = ("value", "low", "high")
        return {name: None if math.isnan(at := getattr(self, name)) else round(at, 5) for name in names} | {
            "count": self.count
        }


NOTHING: Final = Estimate(math.nan, math.nan, math.nan, 0)


def share(hits: Sequence[bool]) -> Estimate:
    """The share of True with Wilson's score interval (E. B. Wilson, 1927, JASA 22:209)."""
    count = len(hits)
    if not count:
        return NOTHING
    value = sum(hits) / count
    centre = value + Z * Z / (2 * count)
    spread = Z * math.sqrt(value * (1 - value) / count + Z * Z / (4 * count * count))
    scale = 1 + Z * Z / count
    return Estimate(value, max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale), count)


def mean(values: Sequence[float], seed: int = SEED) -> Estimate:
    """The mean with a percentile bootstrap interval."""
    return ratio(values, [1.0] * len(values), seed)


def ratio(parts: Sequence[float], wholes: Sequence[float], seed: int = SEED) -> Estimate:
    """The sum of `parts` over the sum of `wholes`, observations resampled in pairs (percentile bootstrap).

    Raises:
        ValueError: the two differ in length, or a whole is not above 0.
    """
    if len(parts) != len(wholes) or any(whole <= 0 for whole in wholes):
        raise ValueError("a ratio needs as many wholes as parts, all above 0")
    count = len(parts)
    if not count:
        return NOTHING
    above, below = np.asarray(parts, dtype=float), np.asarray(wholes, dtype=float)
    chosen = np.random.default_rng(seed).integers(count, size=(RESAMPLES, count))
    drawn = above[chosen].sum(axis=1) / below[chosen].sum(axis=1)
    low, high = np.percentile(drawn, TAILS)
    return Estimate(float(above.sum() / below.sum()), float(low), float(high), count)
