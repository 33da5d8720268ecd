"""How long to wait before trying again: exponential backoff with full jitter; pure.

Full jitter (a uniform draw below the exponential bound) spreads thousands of peers that lost the same server:
Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_MAX_DOUBLINGS: Final = 30
"""Keeps the power finite; every cap is reached long before."""


class Backoff:
    """Waits in seconds for consecutive failures: `random` draws from [0, 1); bounds double from `base_s` to `cap_s`."""

    def __init__(self, random: Callable[[], float], base_s: float, cap_s: float, floor_s: float = 0.0) -> None:
        self._random: Final = random
        self._base_s: Final = base_s
        self._cap_s: Final = cap_s
        self._floor_s: Final = floor_s
        self.failures = 0

    def bound_s(self) -> float:
        """The longest the next wait can be."""
        return float(min(self._cap_s, self._base_s * 2.0 ** min(self.failures, _MAX_DOUBLINGS)))

    def next_s(self) -> float:
        """The wait after one more failure."""
        wait = self._floor_s + self._random() * (self.bound_s() - self._floor_s)
        self.failures += 1
        return wait

    def reset(self) -> None:
        """It worked: the next wait is short again."""
        self.failures = 0
