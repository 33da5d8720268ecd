"""Whether this machine slept, or this process was stopped: its connections are dead then until proven alive; pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

SLEPT_S: Final = 4.0
"""More time than this between two looks that should be a second apart: no busy machine delays a timer so long."""


class Waking:
    """Looks at two clocks, both in seconds.

    `wall` goes on in sleep on every system, but may be set by hand, which costs one needless ping; `clock` (monotonic)
    stands still in sleep on Linux and macOS, but tells of a stopped process.
    """

    def __init__(self, clock: Callable[[], float], wall: Callable[[], float]) -> None:
        self._clock = clock
        self._wall = wall
        self._seen = (clock(), wall())

    def slept(self, expected_s: float) -> bool:
        """Whether much more than `expected_s` passed since the last look."""
        before, self._seen = self._seen, (self._clock(), self._wall())
        passed = max(now - then for now, then in zip(self._seen, before, strict=True))
        return passed - expected_s > SLEPT_S
