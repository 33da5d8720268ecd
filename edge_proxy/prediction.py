"""How likely a waiting request still gets its first token in time, from what arrived and what the workers did; pure.

With `slots` requests running at once, each for `service` seconds on average, one ends every `service / slots` seconds
(Little's law): the rate of service is `mu = slots / service`. Newest first means that every arrival of the same or a
higher class overtakes what waits, at the rate `lambda`. So the number of requests before one that waits is a random
walk: it falls at `mu`, rises at `lambda`, and the request starts when the walk has fallen by `ahead + 1`. Within `t`
seconds that happens with the probability (first passage of a Brownian motion with drift, Schroedinger 1915; the
inverse Gaussian distribution):

    nu = mu - lambda        sigma^2 = lambda + mu * cv^2        a = ahead + 1
    P(t) = Phi((nu t - a) / (sigma sqrt t)) + exp(2 nu a / sigma^2) Phi((-nu t - a) / (sigma sqrt t))

and never with more than the probability that it would have without arrivals: they do not push the walk down.
`cv` is the measured coefficient of variation of the service times. `t` is what is left until the deadline, less the
usual time from a submit to its first token. Under overload (`lambda > mu`) the walk drifts away: whoever has been
overtaken a few times is as good as lost, and this says so at once, where a formula without arrivals waits for years.

With several tenants all of this holds inside each: `ahead` and `lambda` are the tenant's own, and its `mu` is what is
left to it, its fair share of what others' higher classes leave, or all that the others do not ask for, if that is more.

Trade-offs: arrivals are taken as Poisson; requests that supersede one another count as arrivals less withdrawals,
whichever place the withdrawn one had. Each errs by a place or two. With nothing observed yet the chance is 1: nothing
is shed on a guess. A request that finds a free credit is never judged at all, so estimates that became too high correct
themselves by what the workers then do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate
from typing import Final

from edge_proxy.requests import CLASSES

WEIGHT: Final = 0.1
"""Share of the newest observation: the average follows a change within some 20 requests, one outlier moves it 10 %."""

RATE_SECONDS: Final = 2.0
"""Time constant of the arrival rate: long against the gaps of an overload worth the name, short against its rise."""

MIN_CHANCE: Final = 0.05
"""Below this chance of a first token in time a request counts as predictably missed."""

FORGOTTEN: Final = 1e-3
"""Requests a second below which a tenant is as good as gone."""
MIN_PRUNED: Final = 64
"""Tenants from which on those that are gone are looked for."""

_MAX_EXPONENT: Final = 700.0
"""exp() of more overflows; the factor beside it is then far below anything that matters."""


class _Rate:
    """Events per second, forgetting exponentially over `RATE_SECONDS`."""

    __slots__ = ("_at", "_sum")

    def __init__(self) -> None:
        self._sum = 0.0
        self._at = 0.0

    def add(self, now: float, count: float) -> None:
        self._sum = max(0.0, self._decayed(now) + count)
        self._at = now

    def per_second(self, now: float) -> float:
        return self._decayed(now) / RATE_SECONDS

    def _decayed(self, now: float) -> float:
        return self._sum * math.exp((self._at - now) / RATE_SECONDS)


class Predictor:
    """Averages of the workers' recent first-token and service times and of arrivals; all times in seconds."""

    def __init__(self, weight: float = WEIGHT) -> None:
        self._weight: Final = weight
        self._first_token: float | None = None
        self._service: float | None = None
        self._variance = 0.0
        self._arrivals: Final = _rates()
        self._tenants: dict[str, tuple[_Rate, ...]] = {}
        self._prune_at = MIN_PRUNED

    def arrived(self, rank: int, now: float, tenant: str = "") -> None:
        """A request of class `rank` (0 is served first) of `tenant` joined the line."""
        rates = self._tenants.get(tenant)
        if rates is None:
            if len(self._tenants) >= self._prune_at:
                self._prune(now)
            rates = self._tenants[tenant] = _rates()
        rates[rank].add(now, 1.0)
        self._arrivals[rank].add(now, 1.0)

    def withdrawn(self, rank: int, now: float, tenant: str = "") -> None:
        """A request of class `rank` of `tenant` left the line because nobody wants it any more."""
        if tenant in self._tenants:
            self._tenants[tenant][rank].add(now, -1.0)
            self._arrivals[rank].add(now, -1.0)

    def _prune(self, now: float) -> None:
        self._tenants = {
            tenant: rates for tenant, rates in self._tenants.items() if _cumulative(rates, now)[-1] >= FORGOTTEN
        }
        self._prune_at = max(MIN_PRUNED, 2 * len(self._tenants))

    def saw_first_token(self, seconds: float) -> None:
        """A worker's first text came `seconds` after the submit."""
        if self._first_token is None:
            self._first_token = seconds
        else:
            self._first_token += self._weight * (seconds - self._first_token)

    def saw_end(self, seconds: float) -> None:
        """A worker was done, for whatever reason, `seconds` after the submit: its slot is free again."""
        if self._service is None:
            self._service = seconds
            return
        gap = seconds - self._service
        self._service += self._weight * gap
        self._variance = (1 - self._weight) * (self._variance + self._weight * gap * gap)

    @property
    def first_token(self) -> float:
        """The usual time from a submit to its first text."""
        return self._first_token or 0.0

    def chances(self, slots: int, now: float) -> Chances:
        """What holds for all that wait at `now`; `slots` is how many requests the workers run at once."""
        service = self._service or 0.0
        mu = slots / service if service > 0.0 and slots > 0 else math.inf
        tenants = self._tenants

        def own(tenant: str) -> list[float]:
            return _cumulative(tenants[tenant], now) if tenant in tenants else _NONE

        cv2 = self._variance / (service * service) if service else 0.0
        return Chances(mu, cv2, _cumulative(self._arrivals, now), own, self.first_token)


def _rates() -> tuple[_Rate, ...]:
    return tuple(_Rate() for _ in CLASSES)


def _cumulative(rates: tuple[_Rate, ...], now: float) -> list[float]:
    return list(accumulate(rate.per_second(now) for rate in rates))


class Chances:
    """The chances of waiting requests at one moment."""

    __slots__ = ("_all", "_cv2", "_first_token", "_mu", "_own")

    def __init__(
        self, mu: float, cv2: float, rates: list[float], own: Callable[[str], list[float]], first_token: float
    ) -> None:
        """`rates`: per class, arrivals a second of that class and those before it; `own`: of these, a tenant's."""
        self._mu = mu
        self._cv2 = cv2
        self._all = rates
        self._own = own
        self._first_token = first_token

    def of(self, ahead: int, rank: int, within: float, tenant: str = "", share: float = 1.0) -> float:
        """The chance of a first token within `within` seconds for a request of class `rank` of `tenant`.

        `ahead` others of its tenant go before it; `share` is the tenant's part of the service under contention.
        """
        time = within - self._first_token
        if time <= 0.0:
            return 0.0
        if math.isinf(self._mu):
            return 1.0
        own = self._own(tenant)
        others_before = self._all[rank - 1] - own[rank - 1] if rank else 0.0
        mu = max(share * max(0.0, self._mu - others_before), self._mu - (self._all[-1] - own[-1]))
        rate = own[rank]
        alone = first_passage(ahead + 1, self._mu, self._mu * self._cv2, time)
        return min(alone, first_passage(ahead + 1, mu - rate, rate + mu * self._cv2, time))


_NONE: Final = [0.0 for _ in CLASSES]


def first_passage(distance: float, drift: float, variance: float, time: float) -> float:
    """The chance that a Brownian motion with `drift` and `variance` per second has covered `distance` by `time`."""
    if variance <= 0.0:
        return 1.0 if drift * time >= distance else 0.0
    spread = math.sqrt(variance * time)
    direct = _phi((drift * time - distance) / spread)
    exponent = 2.0 * drift * distance / variance
    reflected = 0.0 if exponent > _MAX_EXPONENT else math.exp(exponent) * _phi((-drift * time - distance) / spread)
    return min(1.0, direct + reflected)


def _phi(x: float) -> float:
    """The standard normal distribution function."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))
