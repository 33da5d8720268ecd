"""Requests per second with bursts: the generic cell rate algorithm; pure.

One number is kept, the theoretical arrival time: when the next request would come if they came at exactly the rate
(ITU-T Recommendation I.371, annex A.) It admits what a token bucket of `burst` tokens refilled at `per_second` admits,
and says how long a refused one has to wait.
"""

from __future__ import annotations

from typing import Final

SLACK: Final = 0.01
"""Share of an interval by which a request may be early: sums of intervals are rounded, and a burst of ten admits ten.
The rate in the long run is not higher for it."""


class Rate:
    """At most `burst` requests at once, and `per_second` of them in the long run."""

    __slots__ = ("_due", "_interval", "_tolerance")

    def __init__(self, per_second: float, burst: int) -> None:
        """`per_second` is above 0, `burst` at least 1."""
        self._due = float("-inf")
        self.configure(per_second, burst)

    def configure(self, per_second: float, burst: int) -> None:
        """Other figures from now on; what was taken stays taken."""
        self._interval = 1.0 / per_second
        self._tolerance = (burst - 1) * self._interval

    def wait(self, now: float) -> float:
        """Seconds until a request is admitted; 0 if it is at once. `now` in monotonic seconds."""
        wait = self._due - self._tolerance - now
        return wait if wait > SLACK * self._interval else 0.0

    def take(self, now: float) -> None:
        """A request was admitted."""
        self._due = (now if now > self._due else self._due) + self._interval
