"""What the status page shows, as one JSON document: levels now, and what happened in the last minute; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from edge_proxy.metrics import GAP_BUCKETS, LATENCY_BUCKETS, Metrics
from edge_proxy.requests import MS
from edge_proxy.status_page.window import Reading, grown, quantile, since
from edge_proxy.telemetry.cost import SECONDS_PER_HOUR, per_thousand
from edge_proxy.workers import Worker

SHARES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def report(metrics: Metrics, workers: list[Worker], now: Reading, before: Reading) -> dict[str, Any]:
    """The part that the metrics know; the gauges have been set just now."""
    seconds = max(1e-9, now.at - before.at)
    ends, sheds = grown(now.ends, before.ends), grown(now.sheds, before.sheds)
    hits = grown(now.hits, before.hits)
    completions = now.completions - before.completions
    prompt = now.evaluated + now.reused - before.evaluated - before.reused
    usd = now.usd - before.usd
    began = now.began - before.began
    wanted = began + sum(sheds.values()) + ends.get("error", 0.0)
    return {
        "window_seconds": round(seconds, 1),
        "sessions": int(metrics.sessions.value),
        "live": int(metrics.live.value),
        "waiting": int(metrics.waiting.value),
        "latency_ms": {
            "first_token": _latency(since(now.first_token, before.first_token), LATENCY_BUCKETS),
            "queue": _latency(since(now.queue, before.queue), LATENCY_BUCKETS),
            "whole": _latency(since(now.whole, before.whole), LATENCY_BUCKETS),
            "between_tokens": _latency(since(now.between, before.between), GAP_BUCKETS),
        },
        "goodput": _ratio(now.within - before.within, wanted),
        "ends": {reason: int(count) for reason, count in ends.items()},
        "sheds": {cause: int(count) for cause, count in sheds.items()},
        "completions": completions,
        "completions_per_second": completions / seconds,
        "tokens_per_second": (now.tokens - before.tokens) / seconds,
        "cache": {
            "hits": {level: int(count) for level, count in hits.items()},
            "hit_ratio": _ratio(sum(hits.values()), completions),
            "bytes": int(metrics.cache_bytes.value),
            "kv_reuse_ratio": _ratio(now.reused - before.reused, prompt),
        },
        "cost": {
            "usd_per_hour": usd / seconds * SECONDS_PER_HOUR,
            "usd_per_1000_completions": per_thousand(usd, completions),
            "usd_total": now.usd,
        },
        "workers": [_worker(worker) for worker in workers],
    }


def _latency(counts: list[int], bounds: Sequence[float]) -> dict[str, float | None]:
    found = {name: quantile(share, bounds, counts) for name, share in SHARES.items()}
    return {name: None if value is None else round(value * MS, 3) for name, value in found.items()}


def _ratio(part: float, whole: float) -> float | None:
    return round(min(1.0, part / whole), 4) if whole > 0 else None


def _worker(worker: Worker) -> dict[str, Any]:
    return {
        "name": worker.name,
        "state": _state(worker),
        "models": [f"{model.name} ({model.tier})" for model in worker.models],
        "running": len(worker.running),
        "slots": worker.slots,
        "waiting": worker.stats.waiting,
        "kv_use": worker.stats.kv_use,
        "step_ms": worker.stats.step_ms,
        "tokens_per_second": worker.stats.tokens_per_s,
    }


def _state(worker: Worker) -> str:
    if not worker.connected:
        return "not connected"
    if worker.leaving:
        return "leaving"
    if worker.health.open:
        return "failing"
    return "ready" if worker.ready else "not ready"
