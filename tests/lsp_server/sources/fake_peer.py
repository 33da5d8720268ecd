"""A fake edge or worker that speaks the protocol, and small helpers to wait on what happens."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, Callable
from typing import TypeVar

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from lsp_server.sources.base import Ended, Piece, SourceRequest
from wire_protocol.codec import decode_from_client, encode
from wire_protocol.frames import (
    SUBPROTOCOL,
    AnyFrame,
    Complete,
    Context,
    Delta,
    Done,
    Hello,
    TokenBatch,
    Tokens,
    Welcome,
)

PATIENCE = 10.0
"""Seconds a test waits for a condition before it fails."""

F = TypeVar("F")


class FakePeer:
    """Welcomes every session unless `on_hello` says otherwise; the test reads what arrives and sends what it likes."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.hellos: list[Hello] = []
        self.received: asyncio.Queue[AnyFrame] = asyncio.Queue()
        self.on_hello: Callable[[Hello], AnyFrame | bytes | str] = lambda hello: Welcome(session="s")
        self.answer: Callable[[Complete], list[AnyFrame]] = lambda complete: []
        self.subprotocols: list[Subprotocol] | None = [Subprotocol(SUBPROTOCOL)]
        self.connections: list[ServerConnection] = []
        self.port = 0
        self._server: Server | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/session"

    async def start(self) -> None:
        self._server = await serve(
            self._session, "127.0.0.1", self.port, subprotocols=self.subprotocols, compression=None, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """As a process that is killed: every connection is reset, nothing listens any more."""
        if self._server is None:
            return
        for connection in self.connections:
            connection.transport.abort()
        self.connections.clear()
        self._server.close()
        await self._server.wait_closed()
        self._server = None

    async def _session(self, connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            hello = decode_from_client(await self._binary(connection))
            assert isinstance(hello, Hello)
            self.hellos.append(hello)
            reply = self.on_hello(hello)
            await connection.send(reply if isinstance(reply, bytes | str) else encode(reply))
            self.connections.append(connection)
            while True:
                frame = decode_from_client(await self._binary(connection))
                self.received.put_nowait(frame)
                if isinstance(frame, Complete):
                    for answer in self.answer(frame):
                        await connection.send(encode(answer))

    @staticmethod
    async def _binary(connection: ServerConnection) -> bytes:
        message = await connection.recv()
        assert isinstance(message, bytes)
        return message

    async def next(self, kind: type[F]) -> F:
        """The next frame of `kind` that arrives; others before it are dropped."""
        async with asyncio.timeout(PATIENCE):
            while True:
                frame = await self.received.get()
                if isinstance(frame, kind):
                    return frame

    async def send(self, frame: AnyFrame | bytes) -> None:
        """To the newest session."""
        await self.connections[-1].send(frame if isinstance(frame, bytes) else encode(frame))


def echo(text: str) -> Callable[[Complete], list[AnyFrame]]:
    """Answers every completion with `text`."""
    return lambda complete: [tokens(complete.id, text), Done(id=complete.id, reason="stop", model="fake")]


def tokens(id: int, text: str, offset: int = 0) -> Tokens:
    return Tokens(items=[TokenBatch(id=id, offset=offset, text=text, tokens=1)])


_ids = iter(range(1, 1_000_000))


def ask(
    typed: str = "", *, doc: str = "doc", supersedes: tuple[int, ...] = (), give_up_ms: int = 8_000
) -> SourceRequest:
    """A request with an id of its own."""
    context = Context(before="def f():\n    ", typed=typed, language="python")
    return SourceRequest(id=next(_ids), doc=doc, context=context, supersedes=supersedes, give_up_ms=give_up_ms)


async def collect(answer: AsyncGenerator[Piece | Ended, None]) -> tuple[str, Ended]:
    """The whole text and the end of an answer; fails unless `Ended` comes exactly once and last."""
    text, ended = "", None
    async with asyncio.timeout(PATIENCE), contextlib.aclosing(answer) as events:
        async for event in events:
            assert ended is None
            if isinstance(event, Piece):
                text += event.text
            else:
                ended = event
    assert ended is not None
    return text, ended


async def until(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds."""
    async with asyncio.timeout(PATIENCE):
        for _ in iter(condition, True):
            await asyncio.sleep(0)


def is_full(complete: Complete) -> bool:
    return isinstance(complete.context, Context) and not isinstance(complete.context, Delta)
