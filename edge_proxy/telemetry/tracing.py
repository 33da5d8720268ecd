"""Which completions are traced, and their spans handed to OpenTelemetry: OTLP over HTTP, in a thread of its own.

A completion costs nothing here but one drawing of lots, unless it is traced. OpenTelemetry is imported only if an
endpoint is set.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from edge_proxy.errors import StartError
from edge_proxy.requests import Finished
from edge_proxy.telemetry.settings import TracingSettings
from edge_proxy.telemetry.spans import Span, spans_of
from edge_proxy.telemetry.trace_context import TraceContext, parse
from edge_proxy.tenancy.rates import Rate

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

SERVICE: Final = "foretype-proxy"
NANOSECONDS: Final = 1_000_000_000
SEND_SECONDS: Final = 1.0
"""For one sending with all its tries: as long the process waits at its end for a collector that is down."""
QUEUE_SPANS: Final = 4_096
"""Spans that wait to be sent; more are dropped, so that a collector that is down costs 4 MB and no time."""


class Exporter(Protocol):
    """Who takes the spans of a completion."""

    def export(self, spans: list[Span], parent: TraceContext | None) -> None: ...
    def close(self) -> None: ...


class Tracing:
    """`clock` gives monotonic seconds, `draw` uniform numbers in [0, 1)."""

    def __init__(
        self, settings: TracingSettings, exporter: Exporter, clock: Callable[[], float], draw: Callable[[], float]
    ) -> None:
        self._settings: Final = settings
        self._exporter: Final = exporter
        self._clock: Final = clock
        self._draw: Final = draw
        self._rate: Final = Rate(settings.per_second, max(1, round(settings.per_second)))

    def finished(self, outcome: Finished) -> None:
        """A completion has ended: its spans, if it is one of those that are traced."""
        text = outcome.request.ask.trace
        parent = parse(text) if text else None
        followed = parent is not None and self._settings.follow_clients
        wanted = parent.sampled if parent is not None and followed else self._draw() < self._settings.ratio
        if not wanted:
            return
        now = self._clock()
        if self._rate.wait(now) > 0.0:
            return
        self._rate.take(now)
        self._exporter.export(spans_of(outcome), parent)

    def close(self) -> None:
        """Send what waits; takes `SEND_SECONDS` or a little more."""
        self._exporter.close()


class OtlpExporter:
    """Spans to an OpenTelemetry collector. Raises StartError where the packages for it are not installed."""

    def __init__(
        self, endpoint: str, clock: Callable[[], float], wall: Callable[[], float], region: str, version: str
    ) -> None:
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError as error:
            raise StartError(f"Tracing needs the package {error.name}: pip install 'foretype[telemetry]'.") from None
        resource = Resource.create({"service.name": SERVICE, "service.version": version, "foretype.region": region})
        self._provider: Final[TracerProvider] = TracerProvider(resource=resource, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=endpoint, timeout=SEND_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=QUEUE_SPANS))
        self._tracer: Final = self._provider.get_tracer("foretype.edge", version)
        self._epoch: Final = wall() - clock()
        """Adding it makes a time of `clock` one of the wall clock, which OpenTelemetry wants."""

    def export(self, spans: list[Span], parent: TraceContext | None) -> None:
        """The first span has `parent`, the others have the first."""
        from opentelemetry import trace

        context = None
        if parent is not None:
            remote = trace.SpanContext(
                parent.trace_id, parent.span_id, True, trace.TraceFlags(trace.TraceFlags.SAMPLED)
            )
            context = trace.set_span_in_context(trace.NonRecordingSpan(remote))
        outer = None
        for span in spans:
            kind = trace.SpanKind.SERVER if outer is None else trace.SpanKind.INTERNAL
            if outer is not None:
                context = trace.set_span_in_context(outer)
            begun = self._tracer.start_span(
                span.name, context, kind=kind, attributes=span.attributes, start_time=self._at(span.begin)
            )
            outer = outer or begun
            begun.end(self._at(max(span.begin, span.end)))

    def close(self) -> None:
        """Send what waits."""
        self._provider.shutdown()

    def _at(self, seconds: float) -> int:
        return int((seconds + self._epoch) * NANOSECONDS)
