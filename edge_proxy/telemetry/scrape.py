"""Levels that nobody counts as they change, looked up when the series are read: at a scrape, or for the status page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from edge_proxy.answer_cache import AnswerCache
from edge_proxy.context_budget import ContextBudget
from edge_proxy.dispatch import Dispatcher
from edge_proxy.metrics import Metrics
from edge_proxy.requests import MS
from edge_proxy.telemetry.cost import per_thousand
from edge_proxy.telemetry.observer import Observer

TENANT_ENDS: Final = ("answered", "shed", "cancelled")
TENANT_TOKENS: Final = {"evaluated": "prompt", "reused": "reused", "generated": "generated"}
"""What the label `what` says, and the count that it stands for."""


class Sources(NamedTuple):
    """Where the levels are found."""

    dispatcher: Dispatcher
    observer: Observer
    cache: AnswerCache | None
    contexts: ContextBudget
    clock: Callable[[], float]


def refresh(metrics: Metrics, sources: Sources) -> None:
    """Set the gauges, and the counters that are kept elsewhere, to what is so now."""
    dispatcher, observer = sources.dispatcher, sources.observer
    metrics.live.set(dispatcher.live)
    metrics.waiting.set(dispatcher.waiting)
    metrics.cache_bytes.set(0 if sources.cache is None else sources.cache.bytes_used)
    metrics.context_bytes.set(sources.contexts.bytes_used)
    metrics.ejected.set(sum(worker.ready and worker.health.open for worker in dispatcher.workers))
    metrics.workers_ready.set(sum(worker.ready for worker in dispatcher.workers))
    _workers(metrics, dispatcher)
    _cost(metrics, observer, sources.clock())
    _tenants(metrics, observer)


def _workers(metrics: Metrics, dispatcher: Dispatcher) -> None:
    """Made anew each time: a worker that was taken out has no levels any more."""
    for numbers in (
        metrics.worker_credits,
        metrics.worker_running,
        metrics.worker_slots,
        metrics.worker_waiting,
        metrics.worker_kv_use,
        metrics.worker_step,
        metrics.worker_rate,
    ):
        numbers.made.clear()
    for worker in dispatcher.workers:
        name, stats = worker.name, worker.stats
        metrics.worker_credits.labels(name).set(worker.credits)
        metrics.worker_running.labels(name).set(len(worker.running))
        metrics.worker_slots.labels(name).set(worker.slots)
        metrics.worker_waiting.labels(name).set(stats.waiting)
        metrics.worker_kv_use.labels(name).set(stats.kv_use)
        metrics.worker_step.labels(name).set(stats.step_ms / MS)
        metrics.worker_rate.labels(name).set(stats.tokens_per_s)


def _cost(metrics: Metrics, observer: Observer, now: float) -> None:
    total = 0.0
    for name, cost in observer.costs.items():
        usd = cost.total(now)
        metrics.worker_usd.labels(name).set(usd)
        total += usd
    metrics.per_1000_usd.set(per_thousand(total, observer.completions))


def _tenants(metrics: Metrics, observer: Observer) -> None:
    """Made anew each time: a tenant that lost its label has no series any more."""
    for numbers in (metrics.tenant_ends, metrics.tenant_tokens, metrics.tenant_usd):
        numbers.made.clear()
    for tenant, counts in observer.tenants.read():
        rest = counts.requests
        for end in TENANT_ENDS:
            value = getattr(counts, end)
            metrics.tenant_ends.labels(tenant, end).set(value)
            rest -= value
        metrics.tenant_ends.labels(tenant, "error").set(rest)
        for what, field in TENANT_TOKENS.items():
            metrics.tenant_tokens.labels(tenant, what).set(getattr(counts, field))
        metrics.tenant_usd.labels(tenant).set(counts.usd)
