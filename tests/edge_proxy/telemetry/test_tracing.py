"""Which completions are traced, and what their spans say."""

from __future__ import annotations

from typing import Any

import pytest

from edge_proxy.requests import Ask, Finished, Generation, Request
from edge_proxy.telemetry.settings import TracingSettings
from edge_proxy.telemetry.spans import Span, spans_of
from edge_proxy.telemetry.trace_context import TraceContext
from edge_proxy.telemetry.tracing import Tracing
from wire_protocol.frames import Context, Done, Source, Timings, Usage

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-"


class FakeExporter:
    def __init__(self) -> None:
        self.exported: list[tuple[list[Span], TraceContext | None]] = []

    def export(self, spans: list[Span], parent: TraceContext | None) -> None:
        self.exported.append((spans, parent))

    def close(self) -> None: ...


def finished(trace: str = "", source: Source = "worker", timings: Timings | None = None) -> Finished:
    """A completion that arrived at 10 s, was given to a worker at 10.1 s and ended at 10.5 s."""
    ask = Ask(session=1, id=2, tenant="acme", doc="d", context=Context(before="secret = 1\n"), trace=trace)
    request = Request(ask=ask, seq=1, arrived=10.0, deadline=12.0, started=10.1, first_text=10.2, source=source)
    request.generation = Generation(ask=ask, seq=1, submitted=10.1, submits=1, served_by="w", timings=timings)
    done = Done(
        id=2,
        reason="stop",
        source=source,
        usage=Usage(prompt_tokens=100, reused_tokens=90, generated_tokens=3),
        timings=Timings(queue_ms=100.0, first_token_ms=200.0, total_ms=500.0),
    )
    return Finished(request, done, "worker_stop")


def tracing(clock: Any, ratio: float = 0.0, draw: float = 0.5, **settings: Any) -> tuple[Tracing, FakeExporter]:
    exporter = FakeExporter()
    return Tracing(TracingSettings(ratio=ratio, **settings), exporter, clock, lambda: draw), exporter


def test_a_completion_has_queue_prefill_and_decode_inside_it() -> None:
    spans = spans_of(finished(timings=Timings(queue_ms=10.0, first_token_ms=60.0, total_ms=300.0)))
    assert [(span.name, span.begin, pytest.approx(span.end)) for span in spans] == [
        ("completion", 10.0, 10.5),
        ("queue", 10.0, 10.1),
        ("prefill", 10.1, 10.16),
        ("decode", pytest.approx(10.16), 10.4),
    ]
    assert spans[0].attributes["foretype.request"] == "1-2"
    assert spans[2].attributes == {"foretype.worker": "w", "foretype.worker_queue_ms": 10.0}


def test_what_a_cache_answered_has_no_work_of_a_worker() -> None:
    assert [span.name for span in spans_of(finished(source="cache"))] == ["completion", "queue"]


def test_no_span_has_text_of_the_document() -> None:
    assert "secret" not in repr(spans_of(finished(timings=Timings(total_ms=1.0))))


def test_a_traced_client_is_followed_whatever_the_ratio(clock: Any) -> None:
    traces, exporter = tracing(clock, ratio=0.0)
    traces.finished(finished(trace=f"{PARENT}01"))
    assert [parent.sampled for _, parent in exporter.exported if parent] == [True]


def test_a_client_that_does_not_trace_is_not_traced_here(clock: Any) -> None:
    traces, exporter = tracing(clock, ratio=1.0)
    traces.finished(finished(trace=f"{PARENT}00"))
    assert exporter.exported == []


def test_without_a_client_s_trace_lots_are_drawn(clock: Any) -> None:
    for draw, count in ((0.009, 1), (0.011, 0)):
        traces, exporter = tracing(clock, ratio=0.01, draw=draw)
        traces.finished(finished())
        traces.finished(finished(trace="nonsense"))
        assert len(exporter.exported) == 2 * count


def test_clients_need_not_be_followed(clock: Any) -> None:
    traces, exporter = tracing(clock, ratio=0.0, follow_clients=False)
    traces.finished(finished(trace=f"{PARENT}01"))
    assert exporter.exported == []


def test_who_traces_everything_gets_a_bounded_number_of_traces(clock: Any) -> None:
    traces, exporter = tracing(clock, per_second=8.0)
    for _ in range(1_000):
        traces.finished(finished(trace=f"{PARENT}01"))
    assert len(exporter.exported) == 8
    clock.advance(1.0)
    traces.finished(finished(trace=f"{PARENT}01"))
    assert len(exporter.exported) == 9
