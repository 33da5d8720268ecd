"""Which of several edges is used: the nearest by measured round trip, with hysteresis so that none flaps; pure.

All times are seconds of an injected monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

SMOOTHING: Final = 0.25
"""Weight of a new round trip in the smoothed one, as TCP's is 1/8 (RFC 6298): here they are few, and minima."""
MARGIN_SHARE: Final = 0.2
MARGIN_S: Final = 0.010
"""Another edge must be nearer by a fifth and by 10 ms: less than that nobody sees, and it is the noise of a network."""
WINS_TO_MOVE: Final = 3
"""Measurements in a row in which it was: one may have been luck."""
STAY_S: Final = 60.0
"""After a move there is none for this long, but for a failure."""
AVOID_S: Final = 10.0
"""An edge that failed, or said that it leaves, goes to the end of the line for this long, twice as long each time."""
AVOID_MAX_S: Final = 300.0


@dataclass(slots=True)
class _Edge:
    round_trip_s: float | None = None
    wins: int = 0
    failures: int = 0
    avoid_until: float = 0.0


class EdgeChoice:
    """`urls` in the person's order, which decides as long as nothing was measured."""

    def __init__(self, urls: Sequence[str], clock: Callable[[], float]) -> None:
        self._edges: Final = {url: _Edge() for url in urls}
        self._clock = clock
        self._current: str | None = None
        self._moved_at: float | None = None

    @property
    def current(self) -> str | None:
        """The edge in use, or last in use."""
        return self._current

    def round_trip_s(self, url: str) -> float | None:
        """The smoothed round trip, in seconds; None if it was never measured."""
        return self._edges[url].round_trip_s

    def order(self) -> list[str]:
        """In which order to try: the one in use, then the nearest, those not measured next, those that failed last."""
        now = self._clock()
        places = {url: place for place, url in enumerate(self._edges)}

        def rank(url: str) -> tuple[bool, float, bool, float, int]:
            edge = self._edges[url]
            avoided = now < edge.avoid_until
            measured = edge.round_trip_s if edge.round_trip_s is not None else float("inf")
            return avoided, edge.avoid_until if avoided else 0.0, url != self._current, measured, places[url]

        return sorted(self._edges, key=rank)

    def others(self) -> list[str]:
        """Those worth measuring beside the one in use."""
        now = self._clock()
        return [url for url, edge in self._edges.items() if url != self._current and now >= edge.avoid_until]

    def uses(self, url: str) -> None:
        """A session with `url` was opened and is used from now on."""
        if url != self._current:
            self._moved_at = self._clock() if self._current is not None else None
        self._current = url
        self._edges[url].failures = 0
        self._edges[url].avoid_until = 0.0
        for edge in self._edges.values():
            edge.wins = 0

    def failed(self, url: str) -> None:
        """`url` did not welcome a session, was lost, or said that it is leaving."""
        edge = self._edges[url]
        edge.avoid_until = self._clock() + min(AVOID_MAX_S, AVOID_S * 2.0 ** min(edge.failures, 16))
        edge.failures += 1
        edge.wins = 0

    def measured(self, url: str, seconds: float) -> None:
        """A round trip to `url`: the least of a few is best."""
        edge = self._edges[url]
        known = edge.round_trip_s
        edge.round_trip_s = seconds if known is None else known + SMOOTHING * (seconds - known)
        if url != self._current:
            edge.wins = edge.wins + 1 if self._nearer(edge) else 0

    def _nearer(self, edge: _Edge) -> bool:
        current = None if self._current is None else self._edges[self._current].round_trip_s
        if current is None or edge.round_trip_s is None:
            return False
        return edge.round_trip_s <= min(current * (1 - MARGIN_SHARE), current - MARGIN_S)

    def move_to(self) -> str | None:
        """The edge to move to now, if one is clearly nearer than the one in use."""
        now = self._clock()
        if self._moved_at is not None and now - self._moved_at < STAY_S:
            return None
        better = [
            (edge.round_trip_s, url)
            for url, edge in self._edges.items()
            if url != self._current
            and edge.round_trip_s is not None
            and edge.wins >= WINS_TO_MOVE
            and now >= edge.avoid_until
            and self._nearer(edge)
        ]
        return min(better)[1] if better else None

    def prefer(self, url: str) -> None:
        """Try `url` first at the next dial, without a failure of the one in use."""
        self._moved_at = self._clock()
        self._current = url
        for edge in self._edges.values():
            edge.wins = 0

    def forget(self) -> None:
        """The network is another one: nothing that was measured or failed says anything any more."""
        for edge in self._edges.values():
            edge.round_trip_s, edge.wins, edge.failures, edge.avoid_until = None, 0, 0, 0.0
