"""Foretype's completer in this process, played in virtual time: the same traces in seconds, and the same each time.

What is left out: the server's messages, the network, and the time that computing takes. So this tells techniques apart
and says nothing of clients against one another.
"""

from __future__ import annotations

import asyncio
import os
import selectors
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

from benchmarks.client.backend import Asked, Backend
from benchmarks.client.editor_model import Edit
from benchmarks.client.ghost import Answer
from benchmarks.client.ledger import Purpose
from lsp_server.completer import Ask, Completer, Nothing, Suggested
from lsp_server.documents import ContentChange, Documents
from lsp_server.positions import PositionEncoding, Range
from lsp_server.settings import Settings
from lsp_server.sources.base import Ended, Piece, SourceRequest, SourceStatus
from lsp_server.techniques import WITHOUT, Techniques
from wire_protocol.frames import DoneReason, Usage

T = TypeVar("T")

START_S: Final = 1_000.0


class VirtualLoop(asyncio.SelectorEventLoop):
    """Where nothing is ready, time jumps to what is due next."""

    def __init__(self) -> None:
        super().__init__(_Jumping(self))
        self.now = START_S

    def time(self) -> float:
        """Seconds that passed for everybody who asks the loop."""
        return self.now


class _Jumping(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout is not None else None)
        if not ready and timeout:
            self._loop.now += timeout
        return ready


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `main()` in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


class _Edge:
    """The backend as a source."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def start(self) -> None:
        """It is there."""

    async def close(self) -> None:
        """Its streams are closed by those who read them."""

    def forget(self, doc: str) -> None:
        """It keeps nothing."""

    def statuses(self) -> list[SourceStatus]:
        """Always ready."""
        return [SourceStatus("edge", "ready")]

    async def generate(self, request: SourceRequest) -> AsyncGenerator[Piece | Ended, None]:
        """As an edge streams; closing the stream cancels it."""
        purpose: Purpose = "prefetch" if request.kind == "prefetch" else "foreground"
        tokens = 0
        stream = self._backend.generate(
            Asked(request.context, request.lines, request.max_tokens, purpose, tuple(request.stop))
        )
        try:
            async for text, count in stream:
                tokens += count
                yield Piece(text, "edge")
            reason: DoneReason = "length" if tokens >= request.max_tokens else "stop"
            yield Ended(reason, "edge", model="stand-in", usage=Usage(generated_tokens=tokens))
        finally:
            await stream.aclose()


class InProcess:
    """The completer as a client of the player."""

    name = "Foretype"

    def __init__(self, backend: Backend, without: Sequence[str] = ()) -> None:
        clock = asyncio.get_running_loop().time
        self._documents = Documents(clock, PositionEncoding.UTF16)
        techniques = Techniques.from_environment({WITHOUT: ",".join(without)})
        self._completer = Completer(_Edge(backend), Settings(), lambda uri: "key", techniques=techniques, clock=clock)
        self._opened = 0
        self._version = 0
        self._path = ""

    async def start(self) -> None:
        """It is there."""

    def open(self, path: str, language: str, text: str) -> None:
        """Open a document under a name of its own."""
        self._opened += 1
        self._path = path
        self._uri = f"file:///w/{self._opened}/{path}"
        self._version = 0
        self._document = self._documents.open(self._uri, language, 0, text)

    def changed(self, edit: Edit, before: str) -> None:
        """Report `edit` of the text `before`."""
        self._version += 1
        text = self._document.text
        span = Range(text.position_at(edit.start), text.position_at(edit.end))
        change = self._documents.change(self._uri, self._version, [ContentChange(edit.text, span)])
        self._completer.changed(self._uri, change, self._ask_at)

    def ask(self, text: str, cursor: int) -> asyncio.Task[Answer | None]:
        """Ask for a suggestion; cancelling the task cancels the request."""
        return asyncio.create_task(self._ask(cursor))

    def shown(self, token: object) -> None:
        """Stock editors do not say."""

    def accepted(self, token: object) -> None:
        """Report it, as the item's command does."""
        if isinstance(token, int):
            self._completer.statistics.accepted(token)

    @property
    def pid(self) -> int:
        """This process."""
        return os.getpid()

    async def stop(self) -> None:
        """End what is under way."""
        await self._completer.close()

    async def _ask(self, cursor: int) -> Answer | None:
        outcome = await self._completer.complete(self._ask_at(cursor))
        if isinstance(outcome, Suggested):
            return Answer(outcome.text, 0, outcome.id)
        return Answer("") if isinstance(outcome, Nothing) else None

    def _ask_at(self, offset: int) -> Ask:
        change = self._document.last_change
        snapshot = self._document.snapshot(self._document.text.position_at(offset))
        return Ask(snapshot, self._path, self._document.problem, changed_at=None if change is None else change.at)
