"""A loop whose time jumps, a source that says what a test wants, and contexts written with a cursor `│`."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, TypeVar

from lsp_server.sources.base import Ended, Piece, SourceRequest, SourceStatus, SourceUnavailableError
from wire_protocol.frames import Context

T = TypeVar("T")
CURSOR = "│"


def at_cursor(marked: str, language: str = "python") -> Context:
    """The context of a text with a `│` where the cursor is; the anchor is at the start of its line."""
    before, _, after = marked.partition(CURSOR)
    start = before.rfind("\n") + 1
    return Context(before=before[:start], typed=before[start:], after=after, path="a.py", language=language)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Where nothing is ready, time jumps to what is due next: seconds pass in no time."""

    def __init__(self) -> None:
        super().__init__(_JumpingSelector(self))
        self.now = 1_000.0

    def time(self) -> float:
        return self.now


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("everything waits for something that never comes")
        if not ready and timeout:
            self._loop.now += timeout
        return ready


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` in virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


class FakeSource:
    """Answers with `script(context)` after `latency_s`, in pieces of `piece` characters, `gap_s` apart."""

    def __init__(self, script: Callable[[Context], str], latency_s: float = 0.1, piece: int = 4) -> None:
        self.script = script
        self.latency_s = latency_s
        self.gap_s = 0.0
        self.piece = piece
        self.reason: Any = "stop"
        self.unavailable = ""
        self.requests: list[SourceRequest] = []
        self.cancelled: list[int] = []
        self.ended: list[int] = []
        self.forgotten: list[str] = []
        self.states: list[SourceStatus] = [SourceStatus("local", "ready")]
        self.started = self.closed = False

    async def start(self) -> None:
        self.started = True

    async def close(self) -> None:
        self.closed = True

    def forget(self, doc: str) -> None:
        self.forgotten.append(doc)

    def statuses(self) -> list[SourceStatus]:
        return self.states

    async def generate(self, request: SourceRequest) -> AsyncGenerator[Piece | Ended, None]:
        self.requests.append(request)
        if self.unavailable:
            raise SourceUnavailableError(self.unavailable)
        ended = False
        try:
            await asyncio.sleep(self.latency_s)
            text = self.script(request.context)
            for at in range(0, len(text), self.piece):
                yield Piece(text[at : at + self.piece], "local")
                if self.gap_s:
                    await asyncio.sleep(self.gap_s)
            ended = True
            yield Ended(self.reason, "local")
        finally:
            (self.ended if ended else self.cancelled).append(request.id)
