"""Every Prometheus series of the proxy: names start `foretype_edge_`, durations are in seconds."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, generate_latest

from edge_proxy.series import Distributions, Number, Numbers, SeriesCollector

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

GAP_BUCKETS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1.0)
"""Seconds between tokens: from a small model on a large GPU to a stall."""
SHARE_BUCKETS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
USD_BUCKETS: Final = (1e-7, 1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 1e-2)
"""Dollars: a tenth of a second of a $2 GPU shared by 64 is a millionth, alone on it 60 millionths."""

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The series of one proxy, in a registry of their own."""

    def __init__(self) -> None:
        self._registry: Final = CollectorRegistry()
        series = SeriesCollector()

        def counters(name: str, help: str, *labels: str) -> Numbers:
            series.counters.append(Numbers(f"foretype_edge_{name}", help, labels))
            return series.counters[-1]

        def counter(name: str, help: str) -> Number:
            return counters(name, help).labels()

        def gauges(name: str, help: str, *labels: str) -> Numbers:
            series.gauges.append(Numbers(f"foretype_edge_{name}", help, labels))
            return series.gauges[-1]

        def gauge(name: str, help: str) -> Number:
            return gauges(name, help).labels()

        def histogram(name: str, help: str, *labels: str, bounds: tuple[float, ...] = LATENCY_BUCKETS) -> Distributions:
            series.histograms.append(Distributions(f"foretype_edge_{name}", help, labels, bounds))
            return series.histograms[-1]

        self.sessions = gauge("sessions", "Client sessions that said hello.")
        self.sessions_ended = counters("sessions_ended", "Client sessions ended, by cause.", "cause")
        self.requests = counters("requests", "Completions asked for, by class.", "kind")
        self.done = counters("done", "Completions answered, by reason and cause.", "reason", "cause")
        self.within_objective = counters(
            "within_objective", "Completions whose first text came within their objective, by class.", "kind"
        )
        self.first_token = histogram(
            "time_to_first_token_seconds", "From a completion's arrival to its first text, by class.", "kind"
        )
        self.queue = histogram("queue_seconds", "From a completion's arrival to a worker, by class.", "kind")
        self.total = histogram("request_seconds", "From a completion's arrival to its end, by class.", "kind")
        self.inter_token = histogram(
            "inter_token_seconds",
            "Between two tokens of an answer as they leave for the client, by class.",
            "kind",
            bounds=GAP_BUCKETS,
        )
        self.attached = counter("attached", "Completions answered by a generation already running.")
        self.cached = counter("cached", "Completions answered from the cache.")
        self.cache_hits = counters("cache_hits", "Completions that needed no worker of their own, by level.", "level")
        self.escalated = counters(
            "escalated", "Invoked completions that a small model was unsure of, by who answered them.", "by"
        )
        self.preempted = counter("preempted", "Prefetches taken from a worker for somebody who waits.")
        self.ejected = gauge("workers_ejected", "Workers that are ready but failed too often lately.")
        self.second_level = counters("redis", "Look-ups and writes of the shared cache, by outcome.", "outcome")
        self.tokens = counters("tokens", "Tokens that workers generated, by whether anyone read them.", "fate")
        self.prompt_tokens = counters(
            "prompt_tokens", "Tokens of prompts, by whether the KV cache had them.", "kv_cache"
        )
        self.live = gauge("live_requests", "Completions not answered yet.")
        self.waiting = gauge("waiting_requests", "Completions that no worker has yet.")
        self.resends = counter("resends", "Contexts asked for again in full.")
        self.bad_frames = counters("bad_frames", "Frames refused, by error code.", "code")
        self.auth_failures = counter("auth_failures", "Tokens refused.")
        self.context_bytes = gauge("context_bytes", "Upper estimate of the memory of all kept contexts.")
        self.cache_bytes = gauge("cache_bytes", "Upper estimate of the memory of all kept answers.")
        self.bytes_in = counter("client_received_bytes", "Payload bytes from clients.")
        self.bytes_out = counter("client_sent_bytes", "Bytes to clients, before TLS.")
        self.workers_ready = gauge("workers_ready", "Workers that take submits.")
        self.worker_credits = gauges("worker_credits", "Submits that a worker still takes.", "worker")
        self.worker_running = gauges("worker_running_requests", "Requests that a worker has of this proxy.", "worker")
        self.worker_slots = gauges("worker_slots", "Requests that a worker runs at once for this proxy.", "worker")
        self.worker_waiting = gauges("worker_waiting_requests", "Requests that wait inside a worker.", "worker")
        self.worker_kv_use = gauges("worker_kv_cache_ratio", "Share of a worker's KV cache in use.", "worker")
        self.worker_step = gauges("worker_step_seconds", "Mean of a worker's last decode steps.", "worker")
        self.worker_rate = gauges("worker_tokens_per_second", "Tokens a second that a worker generates.", "worker")
        self.batch_fill = histogram(
            "batch_fill_ratio", "Share of a worker's slots in use, at each submit.", "worker", bounds=SHARE_BUCKETS
        )
        self.worker_connects = counters("worker_connects", "Connections made to a worker.", "worker")
        self.worker_losses = counters("worker_losses", "Connections to a worker lost.", "worker")
        self.feedback = counters(
            "feedback", "What became of suggestions, from clients with telemetry on, by A/B arm.", "what", "arm"
        )
        self.worker_usd = counters("worker_cost_usd", "What a worker cost while it was connected.", "worker")
        self.generation_usd = counter("generation_cost_usd", "What generations cost, of what their workers did.")
        self.per_generation_usd = histogram("cost_per_generation_usd", "What one generation cost.", bounds=USD_BUCKETS)
        self.per_1000_usd = gauge(
            "cost_per_1000_completions_usd", "Cost of all workers per 1,000 completions answered, since the start."
        )
        self.tenant_ends = counters(
            "tenant_requests", "Completions of a tenant by their end; the busiest have names.", "tenant", "end"
        )
        self.tenant_tokens = counters("tenant_tokens", "Tokens of a tenant, by what was done.", "tenant", "what")
        self.tenant_usd = counters("tenant_cost_usd", "What the generations of a tenant cost.", "tenant")

        self._registry.register(series)

    def render(self) -> bytes:
        """The text exposition format."""
        return generate_latest(self._registry)
