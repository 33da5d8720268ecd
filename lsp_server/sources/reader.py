"""Lets the local model read ahead while nobody types; any request of a person ends it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from typing import Final

from lsp_server.sources.base import SourceRequest, SourceUnavailableError
from lsp_server.sources.race import Racer
from lsp_server.sources.reading_ahead import ReadingAhead
from wire_protocol.frames import Context

READING_IDS: Final = 2**52
"""Where the ids of readings ahead begin: far above any request's of a person."""
READING_GIVE_UP_MS: Final = 8_000
LOCAL_LOOK_S: Final = 0.5
"""Between looks whether a local model that is still loading can read."""


class Reader:
    """For one local source. `clock` gives monotonic seconds."""

    def __init__(self, local: Racer, clock: Callable[[], float]) -> None:
        self._local = local
        self._ahead = ReadingAhead(clock)
        self._task: asyncio.Task[None] | None = None
        self._ids = itertools.count(READING_IDS)

    def note(self, doc: str, context: Context) -> None:
        """A person is, or will be, at `context`: to be read after some quiet."""
        self._ahead.note(doc, context)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="foretype reads ahead")

    def stop(self) -> None:
        """Leave the model to somebody who waits."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def answered(self, request: SourceRequest) -> None:
        """The local model answered `request`: it has read it."""
        self._ahead.answered(request)

    def forget(self, doc: str) -> None:
        """The document was closed."""
        self._ahead.forget(doc)

    async def _run(self) -> None:
        local = self._local
        while (due_s := self._ahead.due_in_s()) is not None:
            if local.state != "ready":
                self._ahead.cold()
            if due_s > 0 or local.state == "connecting":
                await asyncio.sleep(max(due_s, LOCAL_LOOK_S if local.state != "ready" else 0.0))
                continue
            if local.state != "ready" or not local.effort.ahead or (place := self._ahead.take()) is None:
                return
            await self._read(*place)

    async def _read(self, doc: str, context: Context) -> None:
        request = SourceRequest(
            next(self._ids), doc, context, max_tokens=1, kind="prefetch", give_up_ms=READING_GIVE_UP_MS
        )
        try:
            async with contextlib.aclosing(self._local.generate(request)) as answer:
                async for _ in answer:
                    pass
        except SourceUnavailableError:
            self._ahead.interrupted(doc)
        except asyncio.CancelledError:
            self._ahead.interrupted(doc)
            raise
