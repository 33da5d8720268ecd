"""Tokens spent in a day and in a month (UTC), and when the next begins; pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple


class Period(NamedTuple):
    """The day and the month that a moment is in, as `2026-11-21` and `2026-11`, and their ends in epoch seconds."""

    day: str
    month: str
    day_ends: float
    month_ends: float


def period_at(wall: float) -> Period:
    """The period of `wall`, seconds since the epoch."""
    now = datetime.fromtimestamp(wall, UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight.replace(day=1)
    next_month = (first + timedelta(days=32)).replace(day=1)
    return Period(f"{now:%Y-%m-%d}", f"{now:%Y-%m}", (midnight + timedelta(days=1)).timestamp(), next_month.timestamp())


class Total(NamedTuple):
    """Tokens that all proxies together spent in the period."""

    day: int
    month: int


NOTHING: Final = Total(0, 0)


class Spent:
    """Tokens of one user or tenant. `unsaved` is what the store of the totals has not heard of yet."""

    __slots__ = ("day", "month", "period", "unsaved")

    def __init__(self, period: Period) -> None:
        self.period = period
        self.day = 0
        self.month = 0
        self.unsaved = 0

    def roll(self, period: Period) -> None:
        """Begin a new day, and a new month, if `period` is one."""
        if period.day != self.period.day:
            self.day = 0
        if period.month != self.period.month:
            self.month = 0
        self.period = period

    def add(self, tokens: int, period: Period) -> None:
        """Tokens were spent."""
        if self.period is not period:
            self.roll(period)
        self.day += tokens
        self.month += tokens
        self.unsaved += tokens

    def take_unsaved(self) -> int:
        """What the store has not heard of yet; it counts as told from here on."""
        unsaved, self.unsaved = self.unsaved, 0
        return unsaved

    def correct(self, total: Total, period: Period) -> None:
        """The store's totals, of all proxies, at `period`: what was spent here meanwhile comes on top."""
        self.roll(period)
        self.day = total.day + self.unsaved
        self.month = total.month + self.unsaved
