"""When the scheduler has to look at its requests again although nothing happened; no I/O, the timer is handed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from edge_proxy.ports import CallLater, Timer

SWEEP_SECONDS: Final = 0.003
"""While requests wait, a predictable miss is looked for this often: with 1 ms for the timer it is shed within 5."""


class SweepTimer:
    """One timer at most, for the earliest need. `clock` gives monotonic seconds, at the pace `call_later` counts by."""

    def __init__(self, clock: Callable[[], float], call_later: CallLater, sweep: Callable[[], None]) -> None:
        self._clock: Final = clock
        self._call_later: Final = call_later
        self._sweep: Final = sweep
        self._timer: Timer | None = None
        self._at = 0.0

    def need(self, deadline: float | None, waiting: int) -> None:
        """Sweep at `deadline` at the latest, soon while any are `waiting`; a timer that is set is never put off."""
        if deadline is None:
            return
        now = self._clock()
        if waiting:
            deadline = min(deadline, now + SWEEP_SECONDS)
        if self._timer is not None:
            if self._at <= deadline:
                return
            self._timer.cancel()
        self._at = deadline
        self._timer = self._call_later(max(0.0, deadline - now), self._due)

    def _due(self) -> None:
        self._timer = None
        self._sweep()
