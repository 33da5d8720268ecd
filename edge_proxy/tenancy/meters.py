"""What one user or one tenant has used of its allowance, and what is in the way of more; pure."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from edge_proxy.tenancy.allowances import Allowance
from edge_proxy.tenancy.quotas import Period, Spent
from edge_proxy.tenancy.rates import Rate
from wire_protocol.frames import MAX_BUDGET_MS

BUSY_SECONDS: Final = 1.0
"""What a request over the limit of those at once is told to wait: one of them has probably ended by then."""
BURST_SECONDS: Final = 2.0
"""How many seconds' worth of requests may come at once where `burst` does not say."""
MS: Final = 1_000.0


class Refusal(NamedTuple):
    """Why a request is not served now. `cause` is for metrics, of a small fixed vocabulary."""

    cause: str
    message: str
    retry_after: float
    """Seconds."""

    @property
    def retry_after_ms(self) -> int:
        """For an `error` frame, within the bound of its field."""
        return min(MAX_BUDGET_MS, math.ceil(self.retry_after * MS))

    @property
    def retry_after_header(self) -> str:
        """For HTTP: whole seconds, never 0 (RFC 9110, section 10.2.3)."""
        return str(max(1, math.ceil(self.retry_after)))


def _or_no_limit(limit: int | None) -> float:
    return math.inf if limit is None else limit


class Meter:
    """What one user or one tenant has used of its allowance. `whose`: `user` or `tenant`, for sentences."""

    __slots__ = (
        "_allowance",
        "_concurrent",
        "_limited",
        "_per_day",
        "_per_month",
        "_rate",
        "_whose",
        "active",
        "running",
        "spent",
    )

    def __init__(self, whose: str, allowance: Allowance, period: Period) -> None:
        self._whose = whose
        self._rate: Rate | None = None
        self.running = 0
        self.active = False
        """Whether a request was admitted since the store of totals was last asked."""
        self.spent = Spent(period)
        self.configure(allowance)

    def configure(self, allowance: Allowance) -> None:
        """Another allowance from now on; what was used stays used."""
        self._allowance = allowance
        self._limited = allowance != Allowance()
        self._concurrent = _or_no_limit(allowance.concurrent)
        self._per_day = _or_no_limit(allowance.tokens_per_day)
        self._per_month = _or_no_limit(allowance.tokens_per_month)
        per_second = allowance.requests_per_second
        if per_second is None:
            self._rate = None
            return
        burst = allowance.burst or max(1, math.ceil(BURST_SECONDS * per_second))
        if self._rate is None:
            self._rate = Rate(per_second, burst)
        else:
            self._rate.configure(per_second, burst)

    def obstacle(self, now: float, wall: float, period: Period) -> Refusal | None:
        """What is in the way of one more request; None if nothing is."""
        if not self._limited:
            return None
        if self.running >= self._concurrent:
            message = f"This {self._whose} has {self._concurrent:.0f} requests in flight already, as many as it may."
            return Refusal(f"{self._whose}_concurrent", message, BUSY_SECONDS)
        spent = self.spent
        if spent.period is not period:
            spent.roll(period)
        if spent.month >= self._per_month:
            return self._over_quota(self._per_month, "month", period.month_ends - wall)
        if spent.day >= self._per_day:
            return self._over_quota(self._per_day, "day", period.day_ends - wall)
        wait = 0.0 if self._rate is None else self._rate.wait(now)
        if wait > 0.0:
            message = f"This {self._whose} may send {self._allowance.requests_per_second:g} requests a second."
            return Refusal(f"{self._whose}_rate", message, wait)
        return None

    def _over_quota(self, limit: float, span: str, left: float) -> Refusal:
        message = f"This {self._whose} has used its {limit:.0f} tokens of this {span} (UTC)."
        return Refusal(f"{self._whose}_quota", message, max(0.0, left))

    def begin(self, now: float) -> None:
        """A request was admitted."""
        self.running += 1
        self.active = True
        if self._rate is not None:
            self._rate.take(now)
