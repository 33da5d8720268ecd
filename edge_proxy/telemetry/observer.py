"""What is counted, traced and logged as requests pass; plain additions, for a completion has some thirty of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from edge_proxy.metrics import Metrics
from edge_proxy.requests import CLASSES, MS, Finished, Generation, Text
from edge_proxy.telemetry.cost import WorkerCost
from edge_proxy.telemetry.logs import log_request
from edge_proxy.telemetry.settings import CostSettings
from edge_proxy.telemetry.tenants import Tenants
from edge_proxy.telemetry.tracing import Tracing
from edge_proxy.workers import Worker
from wire_protocol.frames import Done

_LEVELS: Final = {"cache": "memory", "redis": "redis", "near_match": "near"}
"""The cache that a cause of an end stands for."""


class Observer:
    """`clock` gives monotonic seconds. Without `tracing` nothing is traced; `log_requests` is a line per completion."""

    def __init__(
        self,
        metrics: Metrics,
        clock: Callable[[], float],
        cost: CostSettings | None = None,
        tenants: Tenants | None = None,
        tracing: Tracing | None = None,
        log_requests: bool = False,
    ) -> None:
        self.metrics: Final = metrics
        self.tenants: Final = Tenants(0, clock) if tenants is None else tenants
        self.costs: Final[dict[str, WorkerCost]] = {}
        """Of the workers that cost something, by name."""
        self.completions = 0
        """Those answered, from wherever."""
        self._clock: Final = clock
        self._cost = CostSettings() if cost is None else cost
        self._tracing: Final = tracing
        self._log_requests: Final = log_requests
        self._first_token: Final = {kind: metrics.first_token.labels(kind) for kind in CLASSES}
        self._within: Final = {kind: metrics.within_objective.labels(kind) for kind in CLASSES}
        self._gaps: Final = {kind: metrics.inter_token.labels(kind) for kind in CLASSES}
        self._total: Final = {kind: metrics.total.labels(kind) for kind in CLASSES}
        self._queue: Final = {kind: metrics.queue.labels(kind) for kind in CLASSES}
        self._reused: Final = metrics.prompt_tokens.labels("reused")
        self._evaluated: Final = metrics.prompt_tokens.labels("evaluated")
        self._per_generation: Final = metrics.per_generation_usd.labels()

    # Requests

    def text(self, outcome: Text) -> None:
        """Text of an answer leaves for its client."""
        request = outcome.request
        kind = request.ask.kind
        if outcome.first and request.first_text is not None:
            request.last_text = request.first_text
            seconds = request.first_text - request.arrived
            self._first_token[kind].observe(seconds)
            if seconds <= request.ask.objective:
                self._within[kind].value += 1.0
            return
        now = self._clock()
        if outcome.tokens:
            gap = (now - request.last_text) / outcome.tokens
            self._gaps[kind].observe(gap, outcome.tokens)
        request.last_text = now

    def finished(self, outcome: Finished) -> None:
        """The one end of a request."""
        request, done, metrics = outcome.request, outcome.done, self.metrics
        ask, reason = request.ask, done.reason
        metrics.done.labels(reason, outcome.cause).inc()
        self._total[ask.kind].observe(done.timings.total_ms / MS)
        if request.started is not None:
            self._queue[ask.kind].observe(request.started - request.arrived)
        if request.source != "worker":
            (metrics.attached if request.source == "attached" else metrics.cached).inc()
            metrics.cache_hits.labels(_LEVELS.get(outcome.cause, request.source)).inc()
        if request.least and reason in {"stop", "length"}:
            metrics.escalated.labels("smaller" if outcome.cause == "escalation_missed" else "larger").inc()
        counts = self.tenants.of(ask.tenant)
        counts.requests += 1
        if reason == "stop" or reason == "length":
            self.completions += 1
            counts.answered += 1
        elif reason == "shed":
            counts.shed += 1
        elif reason == "cancelled":
            counts.cancelled += 1
        if self._tracing is not None:
            self._tracing.finished(outcome)
        if self._log_requests:
            log_request(outcome)

    # Workers

    def connected(self, worker: Worker) -> None:
        """It costs from now on."""
        price = self._cost.of(worker.name)
        if price or worker.name in self.costs:
            cost = self.costs.setdefault(worker.name, WorkerCost(price))
            cost.connected(self._clock())

    def disconnected(self, worker: Worker, lost: Iterable[Generation]) -> None:
        """It costs nothing more; what it had run is lost, but was done."""
        cost = self.costs.get(worker.name)
        if cost is None:
            return
        now = self._clock()
        for generation in lost:
            self._charge(generation, cost.ended(generation.worker_id, now))
        cost.disconnected(now)

    def submitted(self, worker: Worker, generation: Generation, now: float) -> None:
        """A worker was given a generation."""
        generation.served_by = worker.name
        generation.timings = None
        running = len(worker.running)
        self.metrics.batch_fill.labels(worker.name).observe(running / max(running, worker.slots))
        cost = self.costs.get(worker.name)
        if cost is not None:
            cost.began(generation.worker_id, now)

    def worker_done(self, worker: Worker, generation: Generation, done: Done, evaluated: int) -> None:
        """A worker is through with a generation; it `evaluated` that many tokens of the prompt."""
        generation.timings = done.timings
        usage = done.usage
        self._reused.value += usage.reused_tokens
        self._evaluated.value += evaluated
        counts = self.tenants.of(generation.ask.tenant)
        counts.prompt += evaluated
        counts.reused += usage.reused_tokens
        counts.generated += usage.generated_tokens
        cost = self.costs.get(worker.name)
        if cost is not None:
            self._charge(generation, cost.ended(generation.worker_id, self._clock()))

    def reprice(self, settings: CostSettings, workers: Iterable[Worker]) -> None:
        """Other prices from now on."""
        self._cost = settings
        now = self._clock()
        for worker in workers:
            if worker.name in self.costs:
                self.costs[worker.name].reprice(settings.of(worker.name), now)
            elif worker.connected:
                self.connected(worker)

    def _charge(self, generation: Generation, usd: float) -> None:
        self.metrics.generation_usd.value += usd
        self._per_generation.observe(usd)
        self.tenants.of(generation.ask.tenant).usd += usd
