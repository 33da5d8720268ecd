"""An engine that can be exchanged for another while requests run; the old one finishes what it has."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator, Callable, Iterable

from gpu_worker.engines.base import Chunk, Engine, EngineStats, Event, Finished, Readiness, Request
from gpu_worker.errors import WorkerError
from wire_protocol.frames import Kind, ModelInfo

log = logging.getLogger(__name__)


class SwapEngine(Engine):
    """Behaves as the present engine. Both are in memory from the start of a `swap` until the old one is idle."""

    def __init__(self, engine: Engine) -> None:
        self._now = engine
        self._homes: dict[int, Engine] = {}
        self._idle: dict[int, asyncio.Event] = {id(engine): self._new_event()}
        self._swapping = asyncio.Lock()
        self._leaving = False

    @property
    def name(self) -> str:
        """The present engine's."""
        return self._now.name

    @property
    def model(self) -> ModelInfo:
        """The present engine's."""
        return self._now.model

    @property
    def capacity(self) -> int:
        """The present engine's."""
        return self._now.capacity

    async def start(self) -> None:
        """Start the first engine. Raises WorkerError."""
        await self._now.start()

    async def swap(self, engine: Engine, grace_s: float, switched: Callable[[], None] = lambda: None) -> None:
        """Start `engine` beside the present one, switch, call `switched`, and close the old one when it is idle.

        What still runs on the old one after `grace_s` seconds is cancelled. Raises WorkerError when the new one does
        not start: then nothing has changed.
        """
        async with self._swapping:
            try:
                await engine.start()
            except BaseException:
                await engine.close()
                raise
            if self._leaving:
                await engine.close()
                raise WorkerError("The worker is shutting down: the model is not exchanged.")
            old, self._now = self._now, engine
            self._idle[id(engine)] = self._new_event()
            log.warning("%s answers now, %s finishes what it has", engine.model.name, old.model.name)
            try:
                switched()
            finally:
                await self._retire(old, grace_s)

    def readiness(self) -> Readiness:
        """The present engine's."""
        return self._now.readiness()

    async def generate(self, request: Request) -> AsyncIterator[Event]:
        """See `Engine.generate`; the end names the model that answered."""
        engine = self._now
        model = engine.model.name
        self._homes[request.key] = engine
        self._idle[id(engine)].clear()
        try:
            async for event in engine.generate(request):
                yield event if isinstance(event, Chunk) else _named(event, model)
        finally:
            self._homes.pop(request.key, None)
            if engine not in self._homes.values() and id(engine) in self._idle:
                self._idle[id(engine)].set()

    def cancel(self, key: int) -> None:
        """See `Engine.cancel`."""
        if engine := self._homes.get(key):
            engine.cancel(key)

    def promote(self, key: int, kind: Kind, priority: int, give_up_ms: float) -> None:
        """See `Engine.promote`."""
        if engine := self._homes.get(key):
            engine.promote(key, kind, priority, give_up_ms)

    def forget(self, docs: Iterable[str]) -> None:
        """See `Engine.forget`."""
        self._now.forget(docs)

    def stats(self) -> EngineStats:
        """The present engine's load."""
        return self._now.stats()

    def has_adapter(self, name: str) -> bool:
        """The present engine's."""
        return self._now.has_adapter(name)

    def prometheus(self) -> bytes:
        """The present engine's."""
        return self._now.prometheus()

    def drain(self) -> None:
        """See `Engine.drain`."""
        self._leaving = True
        self._now.drain()

    async def close(self) -> None:
        """Close the present engine."""
        self._leaving = True
        await self._now.close()

    async def _retire(self, old: Engine, grace_s: float) -> None:
        idle = self._idle[id(old)]
        try:
            async with asyncio.timeout(grace_s):
                await idle.wait()
        except TimeoutError:
            for key, engine in list(self._homes.items()):
                if engine is old:
                    old.cancel(key)
            await idle.wait()
        finally:
            self._idle.pop(id(old), None)
            await old.close()

    @staticmethod
    def _new_event() -> asyncio.Event:
        event = asyncio.Event()
        event.set()
        return event


def _named(end: Finished, model: str) -> Finished:
    return dataclasses.replace(end, model=model)
