"""When the local model answers instead of the edge, or beside it: circuit breaker, hedge delay, hedge budget; pure.

Hedging after the p95 of the time to first token, with a bounded share of hedged requests: Dean and Barroso, "The Tail
at Scale", CACM 56(2), 2013. All times are seconds of an injected monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from lsp_server.sources.latency import MIN_SAMPLES, LatencyWindow

Plan = Literal["edge", "local", "both"]
"""Who is asked at once. "edge" may be followed by the local model, after a delay; "both" wait for a connection."""

HEDGE_QUANTILE: Final = 0.95
HEDGE_MIN_S: Final = 0.150
"""Earlier than this a second answer gains nothing that a person would see, and costs battery."""
HEDGE_DEFAULT_S: Final = 0.300
"""While too few answers are known."""
HEDGE_MAX_S: Final = 0.500
"""However slow the edge usually is: later than this the answer comes into the next burst of typing."""
HEDGE_SHARE: Final = 0.05
"""Of the requests outside an outage."""
HEDGE_BURST: Final = 2.0
"""Hedges that may follow one another after a quiet time."""

PATIENCE_FACTOR: Final = 2.0
"""An edge silent for this many hedge delays counts as timed out: the local model is asked whatever the budget."""

FAILURES_TO_OPEN: Final = 3
SILENCE_TO_OPEN_S: Final = HEDGE_MAX_S
SILENCE_MAX_S: Final = 1.0
SILENCE_FACTOR: Final = 1.25
"""A live edge answers even a cancelled request with a `done` within a round trip. One that was only slow is used again
as soon as it is heard of; until then nobody waits for it. An edge that usually takes longer to its first token gets the
factor of its p95, up to the maximum."""
COOLDOWN_S: Final = 1.0
"""First time between probes of an edge that is treated as down: copies of requests that the local model answers."""
COOLDOWN_MAX_S: Final = 3.0
"""An edge that answers again is used again within this and the probe itself."""


class HedgeBudget:
    """A token bucket: each request earns `share` of a hedge, up to `burst`; a forced hedge may go into debt."""

    def __init__(self, share: float = HEDGE_SHARE, burst: float = HEDGE_BURST) -> None:
        self._share = share
        self._burst = burst
        self._tokens = 1.0

    def earn(self) -> None:
        """A request was made."""
        self._tokens = min(self._burst, self._tokens + self._share)

    def spend(self) -> bool:
        """Take one hedge if there is one."""
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def force(self) -> None:
        """A hedge that could not wait; later ones pay for it."""
        self._tokens = max(-self._burst, self._tokens - 1.0)


class CircuitBreaker:
    """Whether the edge is treated as down: after failures in a row, or when it has been silent since it was asked.

    While open, one request per cooldown is copied to it as a probe. Mere silence is over when it is heard of; failures
    are forgotten only when it answers.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._unheard_since: float | None = None
        self._connected = True
        self.silence_s = SILENCE_TO_OPEN_S
        """Seconds without a word, after a question, that count as being down."""
        self._open = False
        self._cooldown_s = COOLDOWN_S
        self._probe_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the edge is treated as down."""
        return self._open

    def asked(self) -> None:
        """The edge was sent a request."""
        if self._unheard_since is None:
            self._unheard_since = self._clock()

    def heard(self, at: float | None) -> None:
        """The edge was last heard of at `at`; None if it is not connected. Being heard of later than asked is life."""
        if at is not None and not self._connected:
            self._probe_at = self._clock()  # a new connection is worth a question at once
            self._cooldown_s = COOLDOWN_S
        self._connected = at is not None
        if at is None:
            self._unheard_since = None  # a new connection starts with a new silence
        elif self._unheard_since is not None and at > self._unheard_since:
            self._unheard_since = None
            if self._open and self._failures < FAILURES_TO_OPEN:
                self._close()  # it had only been silent
        if self.silent_in_s() == 0:
            self._trip()

    def silent_in_s(self) -> float | None:
        """Seconds until the silence counts as being down; None if nothing is waited for."""
        if self._unheard_since is None:
            return None
        return max(0.0, self._unheard_since + self.silence_s - self._clock())

    def answered(self) -> None:
        """The edge gave text, or an honest end without any."""
        self._close()

    def failed(self) -> None:
        """The edge shed, erred, was lost, or timed out."""
        self._failures += 1
        if self._failures >= FAILURES_TO_OPEN:
            self._trip(again=True)

    def may_probe(self) -> bool:
        """While open: whether a copy of this request goes to the edge."""
        if not self._open or self._clock() < self._probe_at:
            return False
        self._cooldown_s = min(COOLDOWN_MAX_S, self._cooldown_s * 2)
        self._probe_at = self._clock() + self._cooldown_s
        return True

    def _trip(self, *, again: bool = False) -> None:
        if not self._open or again:
            self._probe_at = self._clock() + self._cooldown_s
        self._open = True

    def _close(self) -> None:
        self._open = False
        self._failures = 0
        self._cooldown_s = COOLDOWN_S


class FailoverPolicy:
    """Decides for each request; told what became of it. `first_token` is the edge's window, in seconds."""

    def __init__(self, clock: Callable[[], float], first_token: LatencyWindow) -> None:
        self._first_token = first_token
        self._breaker = CircuitBreaker(clock)
        self._budget = HedgeBudget()

    @property
    def edge_is_down(self) -> bool:
        """Whether the edge, though connected, is treated as down."""
        return self._breaker.is_open

    def plan(self, *, edge_ready: bool, local_ready: bool, heard_at: float | None) -> Plan:
        """Whom to ask first. Ready means connected; `heard_at`: when the edge was last heard of."""
        usual = self._first_token.quantile(HEDGE_QUANTILE) or 0.0
        self._breaker.silence_s = min(SILENCE_MAX_S, max(SILENCE_TO_OPEN_S, SILENCE_FACTOR * usual))
        self._breaker.heard(heard_at)
        if not edge_ready:
            return "local" if local_ready else "both"
        if not local_ready:
            return "edge"
        if self._breaker.is_open:
            return "local"
        self._budget.earn()
        return "edge"

    def may_probe(self) -> bool:
        """With plan "local": whether a copy of the request goes to the edge, to see whether it answers again."""
        return self._breaker.may_probe()

    def asked_edge(self) -> None:
        """A request went to the edge."""
        self._breaker.asked()

    def hedge_delay_s(self) -> float:
        """How long the edge is waited for alone."""
        if len(self._first_token) < MIN_SAMPLES:
            return HEDGE_DEFAULT_S
        usual = self._first_token.quantile(HEDGE_QUANTILE) or HEDGE_DEFAULT_S
        return min(HEDGE_MAX_S, max(HEDGE_MIN_S, usual))

    def patience_s(self) -> float:
        """How long the edge is waited for before it counts as timed out."""
        return PATIENCE_FACTOR * self.hedge_delay_s()

    def silent_in_s(self, heard_at: float | None) -> float | None:
        """Seconds until the edge, last heard of at `heard_at`, counts as down for its silence; None if it was heard."""
        self._breaker.heard(heard_at)
        return self._breaker.silent_in_s()

    def may_hedge(self) -> bool:
        """At the hedge delay: whether the local model may be asked too."""
        return self._budget.spend()

    def timed_out(self, *, hedged: bool) -> None:
        """At the end of patience: the local model is asked now, unless it was before."""
        self._breaker.failed()
        if not hedged:
            self._budget.force()

    def edge_answered(self) -> None:
        """The edge gave text, or an honest end without any."""
        self._breaker.answered()

    def edge_failed(self) -> None:
        """The edge shed, erred or was lost."""
        self._breaker.failed()
