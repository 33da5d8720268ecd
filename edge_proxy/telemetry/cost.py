"""What each generation costs, from what its worker costs an hour; pure.

A worker that runs n generations spends a n-th of its price on each of them (processor sharing). The cost of one is
then the integral of price / n over the time that it ran. With C(t) the integral from the worker's start, that is
C(end) - C(begin): one number per worker, moved on at each begin and end, whatever n is. (The same device as virtual
time in fair queueing: Parekh and Gallager, "A Generalized Processor Sharing Approach to Flow Control", 1993.)

What all generations cost, and what the worker cost while it ran none, is together what it cost.
"""

from __future__ import annotations

from typing import Final

SECONDS_PER_HOUR: Final = 3_600.0


class WorkerCost:
    """One worker's, in dollars. `now` is always of the same monotonic clock, in seconds."""

    __slots__ = ("_at", "_began", "_connected_at", "_each", "_per_second", "_spent")

    def __init__(self, usd_per_hour: float) -> None:
        self._per_second = usd_per_hour / SECONDS_PER_HOUR
        self._connected_at: float | None = None
        self._spent = 0.0
        self._each = 0.0
        """Dollars that a generation running from the start would have cost."""
        self._at = 0.0
        self._began: dict[int, float] = {}

    def reprice(self, usd_per_hour: float, now: float) -> None:
        """Another price from `now` on."""
        self._advance(now)
        if self._connected_at is not None:
            self._spent += (now - self._connected_at) * self._per_second
            self._connected_at = now
        self._per_second = usd_per_hour / SECONDS_PER_HOUR

    def connected(self, now: float) -> None:
        """It costs from here on."""
        if self._connected_at is None:
            self._connected_at = now

    def disconnected(self, now: float) -> float:
        """It is gone; what the generations cost that it had not ended."""
        left = sum(self.ended(id, now) for id in list(self._began))
        if self._connected_at is not None:
            self._spent += (now - self._connected_at) * self._per_second
            self._connected_at = None
        return left

    def began(self, id: int, now: float) -> None:
        """A generation, named by its id on the worker's connection."""
        self._advance(now)
        self._began[id] = self._each

    def ended(self, id: int, now: float) -> float:
        """What it cost; 0 if it never began."""
        if id not in self._began:
            return 0.0
        self._advance(now)
        return self._each - self._began.pop(id)

    def total(self, now: float) -> float:
        """What the worker cost so far, also while it had nothing to do."""
        running = 0.0 if self._connected_at is None else (now - self._connected_at) * self._per_second
        return self._spent + running

    def _advance(self, now: float) -> None:
        if self._began:
            self._each += (now - self._at) * self._per_second / len(self._began)
        self._at = now


def per_thousand(usd: float, completions: float) -> float:
    """Dollars per 1,000 completions; 0 before the first."""
    return usd / completions * 1_000 if completions else 0.0
