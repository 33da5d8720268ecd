"""Recent times to first token of one source, and their quantiles; pure."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

WINDOW: Final = 64
"""Answers remembered: enough for a p95, few enough that a changed network shows within a minute of typing."""
MIN_SAMPLES: Final = 8
"""Below this many samples a high quantile says nothing."""


class LatencyWindow:
    """The last `size` durations, in seconds."""

    def __init__(self, size: int = WINDOW) -> None:
        self._recent: deque[float] = deque(maxlen=size)

    def add(self, seconds: float) -> None:
        """One more duration."""
        self._recent.append(seconds)

    def __len__(self) -> int:
        return len(self._recent)

    def quantile(self, share: float) -> float | None:
        """The nearest-rank quantile, `share` in (0, 1]; None while nothing is known."""
        if not self._recent:
            return None
        ordered = sorted(self._recent)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

    def median_ms(self) -> float | None:
        """The median, in milliseconds."""
        median = self.quantile(0.5)
        return None if median is None else median * 1_000
