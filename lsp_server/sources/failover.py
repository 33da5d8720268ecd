"""Edge and local model as one source: the edge first, the local model at once when it is needed; first text wins."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Final

from lsp_server.sources.base import (
    Ended,
    Piece,
    SourceRequest,
    SourceStatus,
    SourceUnavailableError,
    TakesMemory,
)
from lsp_server.sources.failover_policy import FailoverPolicy
from lsp_server.sources.latency import LatencyWindow
from lsp_server.sources.race import Race, Racer
from lsp_server.sources.reader import Reader
from wire_protocol.frames import Context, Feedback

NOTHING_CONFIGURED: Final = "Nothing can answer: set edge.urls, or local.enabled to true."


class FailoverSource:
    """A `Source` over an edge and a local one, either of which may be missing."""

    def __init__(self, edge: Racer | None, local: Racer | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._edge = edge
        self._local = local
        self._clock = clock
        self._policy = FailoverPolicy(clock, LatencyWindow() if edge is None else edge.first_token)
        self._probe: asyncio.Task[None] | None = None
        self._reader = None if local is None else Reader(local, clock)

    async def start(self) -> None:
        """Start both in the background."""
        for source in self._sources():
            await source.start()

    async def close(self) -> None:
        """Close both."""
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)
        if self._reader is not None:
            self._reader.stop()
        await asyncio.gather(*(source.close() for source in self._sources()))

    def forget(self, doc: str) -> None:
        """The document was closed."""
        if self._reader is not None:
            self._reader.forget(doc)
        for source in self._sources():
            source.forget(doc)

    def send_feedback(self, frame: Feedback) -> bool:
        """Tell the edge what became of suggestions; False if none is connected. Only for who has telemetry on."""
        return self._edge is not None and self._edge.tell(frame)

    def statuses(self) -> list[SourceStatus]:
        """The state of each; an edge that is connected but silent or failing says so."""
        statuses = [status for source in self._sources() for status in source.statuses()]
        if self._policy.edge_is_down:
            silent = "It is connected but does not answer; the local model answers until it does."
            statuses = [
                replace(status, state="failed", detail=silent)
                if status.name == "edge" and status.state == "ready"
                else status
                for status in statuses
            ]
        return statuses

    def memory_bytes(self) -> int | None:
        """What the local worker takes of this machine's memory; None if none is connected, or it is not known."""
        return self._local.memory_bytes() if isinstance(self._local, TakesMemory) else None

    def _sources(self) -> list[Racer]:
        return [source for source in (self._edge, self._local) if source is not None]

    def warm(self, doc: str, context: Context) -> None:
        """A person is about to type at `context`: let the local model read it, after everything that is wanted now."""
        if self._reader is not None:
            self._reader.note(doc, context)

    async def generate(self, request: SourceRequest) -> AsyncGenerator[Piece | Ended, None]:
        """Stream one source's answer; see `Source.generate`."""
        if request.kind != "prefetch":
            if self._reader is not None:
                self._reader.stop()  # what it has read so far stays
            self.warm(request.doc, request.context)
        async with contextlib.aclosing(self._generate(request)) as events:
            async for event in events:
                if event.source == "local" and self._reader is not None:
                    self._reader.answered(request)
                yield event

    async def _generate(self, request: SourceRequest) -> AsyncGenerator[Piece | Ended, None]:
        if self._edge is None or self._local is None:
            alone = self._edge or self._local
            if alone is None:
                raise SourceUnavailableError(NOTHING_CONFIGURED)
            async with contextlib.aclosing(alone.generate(request)) as answer:
                async for event in answer:
                    yield event
            return
        if self._policy.edge_is_down and self._edge.state == "ready" and self._policy.may_probe():
            self._start_probe(self._edge, request)
        race = Race(request, self._edge, self._local, self._policy, self._clock)
        try:
            async with contextlib.aclosing(race.run()) as events:
                async for event in events:
                    yield event
        finally:
            race.stop()

    def _start_probe(self, edge: Racer, request: SourceRequest) -> None:
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self._probed(edge, request), name="foretype probe")

    async def _probed(self, edge: Racer, request: SourceRequest) -> None:
        """Ask the edge beside the race, only to see whether it answers in time; its answer is not used."""
        self._policy.asked_edge()
        try:
            async with (
                asyncio.timeout(self._policy.patience_s()),
                contextlib.aclosing(edge.generate(request)) as answer,
            ):
                async for event in answer:
                    if isinstance(event, Piece) or event.reason in ("stop", "length"):
                        self._policy.edge_answered()
                        return
        except (TimeoutError, SourceUnavailableError):
            pass
        self._policy.edge_failed()
