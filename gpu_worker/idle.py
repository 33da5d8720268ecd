"""When a worker that nobody uses any more should leave: pure, with an injected clock."""

from __future__ import annotations

from collections.abc import Callable


class IdleTimer:
    """Counts connections and says how long is left; `seconds` None means never.

    The time runs from creation, and again from each moment the last connection closes.
    """

    def __init__(self, seconds: float | None, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._connections = 0
        self._since = clock()

    def connected(self) -> None:
        """A connection opened."""
        self._connections += 1

    def disconnected(self) -> None:
        """A connection closed."""
        self._connections -= 1
        self._since = self._clock()

    @property
    def in_use(self) -> bool:
        """Whether any connection is open."""
        return self._connections > 0

    def remaining(self) -> float | None:
        """Seconds until the worker should leave, 0.0 when it is time; None while it is in use or never leaves."""
        if self._seconds is None or self._connections > 0:
            return None
        return max(0.0, self._since + self._seconds - self._clock())
