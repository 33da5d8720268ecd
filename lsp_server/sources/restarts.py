"""When a process that died may be started again; pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

BASE_S: Final = 0.25
"""Wait after a first death, in seconds: a worker killed once is back before the next pause in typing."""
MAX_DEATHS: Final = 5
"""Deaths within `WINDOW_S` after which starting it again is pointless: its model or the machine is at fault."""
WINDOW_S: Final = 120.0
GIVE_UP_S: Final = 120.0
"""How long it is then left alone; a person reading the log has repaired it by hand or not."""


class RestartPolicy:
    """Counts deaths by an injected monotonic clock, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._deaths: deque[float] = deque(maxlen=MAX_DEATHS)

    def died(self) -> float:
        """The process died: seconds until it may be started again, doubling with each recent death."""
        now = self._clock()
        self._deaths.append(now)
        recent = sum(1 for at in self._deaths if now - at < WINDOW_S)
        if recent >= MAX_DEATHS:
            return GIVE_UP_S
        return float(BASE_S * 2 ** (recent - 1))

    @property
    def gave_up(self) -> bool:
        """Whether the last death was one too many."""
        now = self._clock()
        return sum(1 for at in self._deaths if now - at < WINDOW_S) >= MAX_DEATHS
