"""Every Prometheus series of the proxy: names start `foretype_edge_`, durations are in seconds."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

LATENCY_BUCKETS: Final = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.075,
    0.1,
    0.15,
    0.2,
    0.3,
    0.5,
    1.0,
    2.0,
    5.0,
    10.0,
)
"""Seconds; dense around the objective of 200 ms."""

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The series of one proxy, in a registry of their own."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._registry: Final = registry

        def counter(name: str, help: str, *labels: str) -> Counter:
            return Counter(f"foretype_edge_{name}", help, labels, registry=registry)

        def gauge(name: str, help: str, *labels: str) -> Gauge:
            return Gauge(f"foretype_edge_{name}", help, labels, registry=registry)

        def histogram(name: str, help: str, *labels: str) -> Histogram:
            return Histogram(f"foretype_edge_{name}", help, labels, registry=registry, buckets=LATENCY_BUCKETS)

        self.sessions = gauge("sessions", "Client sessions that said hello.")
        self.sessions_ended = counter("sessions_ended", "Client sessions ended, by cause.", "cause")
        self.requests = counter("requests", "Completions asked for, by class.", "kind")
        self.done = counter("done", "Completions answered, by reason and cause.", "reason", "cause")
        self.within_objective = counter(
            "within_objective", "Completions whose first text came within their objective, by class.", "kind"
        )
        self.first_token = histogram(
            "time_to_first_token_seconds", "From a completion's arrival to its first text, by class.", "kind"
        )
        self.queue = histogram("queue_seconds", "From a completion's arrival to a worker, by class.", "kind")
        self.total = histogram("request_seconds", "From a completion's arrival to its end, by class.", "kind")
        self.attached = counter("attached", "Completions answered by a generation already running.")
        self.tokens = counter("tokens", "Tokens that workers generated, by whether anyone read them.", "fate")
        self.prompt_tokens = counter(
            "prompt_tokens", "Tokens of prompts, by whether the KV cache had them.", "kv_cache"
        )
        self.live = gauge("live_requests", "Completions not answered yet.")
        self.waiting = gauge("waiting_requests", "Completions that no worker has yet.")
        self.resends = counter("resends", "Contexts asked for again in full.")
        self.bad_frames = counter("bad_frames", "Frames refused, by error code.", "code")
        self.auth_failures = counter("auth_failures", "Tokens refused.")
        self.context_bytes = gauge("context_bytes", "Upper estimate of the memory of all kept contexts.")
        self.bytes_in = counter("client_received_bytes", "Payload bytes from clients.")
        self.bytes_out = counter("client_sent_bytes", "Payload bytes to clients.")
        self.workers_ready = gauge("workers_ready", "Workers that take submits.")
        self.worker_credits = gauge("worker_credits", "Submits that a worker still takes.", "worker")
        self.worker_connects = counter("worker_connects", "Connections made to a worker.", "worker")
        self.worker_losses = counter("worker_losses", "Connections to a worker lost.", "worker")
        self.feedback = counter("feedback", "What became of suggestions, from clients with telemetry on.", "what")

    def render(self) -> bytes:
        """The text exposition format."""
        return generate_latest(self._registry)
