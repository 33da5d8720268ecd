"""What Prometheus scrapes: one registry per worker; histograms are in seconds."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from gpu_worker.engines.base import EngineStats, Finished
from wire_protocol.frames import Kind

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Buckets around the 200 ms that the design promises."""
MS = 1_000.0


class Metrics:
    """The worker's counters, gauges and histograms."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self.requests = Counter(
            "foretype_worker_requests", "Requests that ended.", ["reason", "kind"], registry=registry
        )
        self.prompt_tokens = Counter("foretype_worker_prompt_tokens", "Tokens of prompts.", registry=registry)
        self.reused_tokens = Counter(
            "foretype_worker_reused_tokens", "Prompt tokens taken from the KV cache.", registry=registry
        )
        self.generated_tokens = Counter("foretype_worker_generated_tokens", "Tokens generated.", registry=registry)
        self.bad_frames = Counter("foretype_worker_bad_frames", "Frames refused.", ["code"], registry=registry)
        self.queue = Histogram(
            "foretype_worker_queue_seconds", "Wait before a request ran.", buckets=SECONDS, registry=registry
        )
        self.first_token = Histogram(
            "foretype_worker_first_token_seconds", "Arrival to first token.", buckets=SECONDS, registry=registry
        )
        self.total = Histogram(
            "foretype_worker_request_seconds", "Arrival to end of a request.", buckets=SECONDS, registry=registry
        )
        self.sessions = Gauge("foretype_worker_sessions", "Connected peers.", registry=registry)
        self.running = Gauge("foretype_worker_running", "Requests being generated.", registry=registry)
        self.waiting = Gauge("foretype_worker_waiting", "Requests waiting in the engine.", registry=registry)
        self.kv_use = Gauge("foretype_worker_kv_use_ratio", "Share of the KV cache in use.", registry=registry)
        self.step = Gauge("foretype_worker_step_seconds", "Mean of the last decode steps.", registry=registry)
        self.rate = Gauge("foretype_worker_tokens_per_second", "Rate over the last decode steps.", registry=registry)
        self.flops = Gauge(
            "foretype_worker_flops_use_ratio", "Estimated share of the device's arithmetic (MFU).", registry=registry
        )
        self.bandwidth = Gauge(
            "foretype_worker_bandwidth_use_ratio", "Estimated share of the memory bandwidth.", registry=registry
        )
        self.ready = Gauge("foretype_worker_ready", "1 when requests can be answered.", registry=registry)

    def finished(self, kind: Kind, end: Finished) -> None:
        """Count a request that ended."""
        self.requests.labels(end.reason, kind).inc()
        self.prompt_tokens.inc(end.usage.prompt_tokens)
        self.reused_tokens.inc(end.usage.reused_tokens)
        self.generated_tokens.inc(end.usage.generated_tokens)
        if end.usage.generated_tokens:
            self.first_token.observe(end.timings.first_token_ms / MS)
        if end.usage.prompt_tokens:
            self.queue.observe(end.timings.queue_ms / MS)
        self.total.observe(end.timings.total_ms / MS)

    def render(self, stats: EngineStats, sessions: int, ready: bool) -> bytes:
        """The text of a scrape, with the load at this moment."""
        self.sessions.set(sessions)
        self.running.set(stats.running)
        self.waiting.set(stats.waiting)
        self.kv_use.set(stats.kv_use)
        self.step.set(stats.step_ms / MS)
        self.rate.set(stats.tokens_per_s)
        self.flops.set(stats.flops_use)
        self.bandwidth.set(stats.bandwidth_use)
        self.ready.set(1 if ready else 0)
        return generate_latest(self.registry)
