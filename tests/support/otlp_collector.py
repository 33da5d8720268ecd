"""A stand-in for an OpenTelemetry collector: takes OTLP over HTTP and keeps the spans."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from typing import Any, NamedTuple

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Received(NamedTuple):
    """A span as it came; times in nanoseconds since the epoch, ids in hex."""

    name: str
    service: str
    trace: str
    id: str
    parent: str
    begin: int
    end: int
    attributes: dict[str, Any]


class FakeCollector:
    """Listens on loopback."""

    def __init__(self) -> None:
        self.spans: list[Received] = []
        self.port = 0
        self._came = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where traces are posted."""
        return f"http://127.0.0.1:{self.port}/v1/traces"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/v1/traces", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def until(self, enough: Callable[[list[Received]], Any], seconds: float) -> Any:
        """Wait until `enough` of what came is true, and give that."""
        async with asyncio.timeout(seconds):
            while not (found := enough(self.spans)):
                self._came.clear()
                await self._came.wait()
        return found

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()  # aiohttp has inflated it, unless it was not told to
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    attributes = {
                        pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "string_value")
                        for pair in span.attributes
                    }
                    times = (span.start_time_unix_nano, span.end_time_unix_nano)
                    ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
                    self.spans.append(Received(span.name, named["service.name"], *ids, *times, attributes))
        self._came.set()
        return web.Response(content_type="application/x-protobuf")
