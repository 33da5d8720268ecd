"""Whether something that fails is to be tried again now: a circuit breaker; pure.

Closed while it works. After `FAILURES` failures in a row it is open: not used for a rest, which doubles from
`FIRST_REST` to `LONGEST_REST` seconds while it goes on failing. After the rest it is half open: one try at a time,
and the first success closes it. (Nygard, Release It!, 2007.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

FAILURES: Final = 5
"""In a row: chance failures of one request in a hundred practically never come five at a time."""
FIRST_REST: Final = 1.0
LONGEST_REST: Final = 30.0
"""Seconds; what came back is noticed that late at worst."""
TRY_SECONDS: Final = 10.0
"""A try that brought neither success nor failure by then (it was cancelled) makes room for the next."""


class Breaker:
    """`clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float], failures: int = FAILURES) -> None:
        self._clock: Final = clock
        self._allowed: Final = failures
        self._failures = 0
        self._rest = 0.0
        self._until = 0.0
        self._tried = float("-inf")

    @property
    def open(self) -> bool:
        """Whether it failed too often and has not worked since; a try may be due all the same."""
        return self._rest > 0.0

    def usable(self) -> bool:
        """Whether to use it now."""
        if not self._rest:
            return True
        now = self._clock()
        return now >= self._until and now - self._tried >= TRY_SECONDS

    def used(self) -> None:
        """It is being used: while half open, nobody else tries until this one's end is known."""
        if self._rest:
            self._tried = self._clock()

    def succeeded(self) -> None:
        """It works."""
        self._failures = 0
        self._rest = 0.0
        self._tried = float("-inf")

    def failed(self) -> None:
        """It did not work."""
        self._failures += 1
        self._tried = float("-inf")
        now = self._clock()
        if self._failures < self._allowed or (self._rest and now < self._until):
            return  # what was under way when it opened is no news
        self._rest = min(LONGEST_REST, 2.0 * self._rest) if self._rest else FIRST_REST
        self._until = now + self._rest
