"""The edge as a source whose requests are traced: a span `client` each, and its context on the wire (W3C).

Only for who wants it: telemetry is on, and OpenTelemetry's own variables say where traces go
(`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_TRACES_SAMPLER` and the rest). Otherwise nothing here is imported or costs
anything. No span has text of a document.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lsp_server.sources.base import Ended, Piece, SourceRequest
from lsp_server.sources.edge import EdgeSource
from lsp_server.sources.outward import Outward

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
SERVICE: Final = "foretype-lsp"

logger = logging.getLogger(__name__)


def tracer_provider() -> TracerProvider | None:
    """What traces, as the environment has it; None if it names no collector, or the packages are not there."""
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        logger.warning("Tracing needs the package %s: pip install 'foretype[telemetry]'.", error.name)
        return None
    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


class TracedEdgeSource(EdgeSource):
    """An `EdgeSource` with a span around each completion."""

    def __init__(self, urls: Sequence[str], token: str, outward: Outward, provider: TracerProvider) -> None:
        super().__init__(urls, token, outward)
        self._provider: Final = provider
        self._tracer: Final = provider.get_tracer("foretype.lsp")

    async def generate(self, request: SourceRequest) -> AsyncGenerator[Piece | Ended, None]:
        """Stream the answer; see `Source.generate`."""
        from opentelemetry.trace import SpanKind, format_span_id, format_trace_id

        span = self._tracer.start_span("client", kind=SpanKind.CLIENT, attributes={"foretype.kind": request.kind})
        context = span.get_span_context()
        trace = f"00-{format_trace_id(context.trace_id)}-{format_span_id(context.span_id)}-{context.trace_flags:02x}"
        began = False
        try:
            async with aclosing(super().generate(replace(request, trace=trace))) as events:
                async for event in events:
                    if isinstance(event, Ended):
                        span.set_attributes({"foretype.reason": event.reason, "foretype.source": event.served})
                    elif not began:
                        began = True
                        span.add_event("first text")
                    yield event
        finally:
            span.end()

    async def close(self) -> None:
        """Close the connection, and send the traces that wait."""
        await super().close()
        await asyncio.to_thread(self._provider.shutdown)
