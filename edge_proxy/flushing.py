"""When sessions write what waits for them: once at the end of an event-loop turn, or a screen's frame later; pure.

One call of the event loop serves all sessions, however many have something to say: a call for each would cost more
than what it writes.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

HOLD_SECONDS: Final = 0.016
"""One frame of a 60 Hz screen: text that follows other text sooner than this cannot be seen sooner."""
SLACK_SECONDS: Final = 0.002
"""What is due so soon is taken along, so that the timer rests this long: the bound on waiting that the design gives."""

logger = logging.getLogger("foretype.edge.flushing")

Flush = Callable[[], None]
"""Writes what waits for one session."""


class Flusher:
    """`call_soon` and `call_later` are the event loop's, `clock` gives monotonic seconds."""

    def __init__(
        self,
        call_soon: Callable[[Flush], object],
        call_later: Callable[[float, Flush], object],
        clock: Callable[[], float],
    ) -> None:
        self._call_soon: Final = call_soon
        self._call_later: Final = call_later
        self._clock: Final = clock
        self._ends: list[Flush] = []
        self._held: Final[deque[tuple[float, Flush]]] = deque()  # the first due first
        self._armed = False

    def soon(self, flush: Flush) -> None:
        """Call it at the end of this turn, after what was asked for before."""
        if not self._ends:
            self._call_soon(self._end_turn)
        self._ends.append(flush)

    def later(self, flush: Flush) -> None:
        """Call it when `HOLD_SECONDS` have passed, or up to `SLACK_SECONDS` before."""
        self._held.append((self._clock() + HOLD_SECONDS, flush))
        if not self._armed:
            self._armed = True
            self._call_later(HOLD_SECONDS, self._end_hold)

    def _end_turn(self) -> None:
        ends, self._ends = self._ends, []
        _call_all(ends)

    def _end_hold(self) -> None:
        now = self._clock()
        due = []
        while self._held and self._held[0][0] <= now + SLACK_SECONDS:
            due.append(self._held.popleft()[1])
        self._armed = bool(self._held)
        if self._armed:
            self._call_later(self._held[0][0] - now, self._end_hold)
        _call_all(due)


def _call_all(calls: Iterable[Flush]) -> None:
    for call in calls:
        try:
            call()
        except Exception:  # one session's trouble is not the others'
            logger.exception("a session could not be written to")
