"""How many bad frames a peer may send before its session is closed; pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

ALLOWED: Final = 10
WINDOW: Final = 60.0
"""Seconds; both from the protocol's specification, "Faults"."""


class BadFrameBudget:
    """Counts bad frames over a sliding window."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock: Final = clock
        self._times: deque[float] = deque(maxlen=ALLOWED + 1)

    def spend(self) -> bool:
        """One more bad frame came; False once there were more than allowed within the window."""
        now = self._clock()
        self._times.append(now)
        return len(self._times) <= ALLOWED or now - self._times[0] > WINDOW
