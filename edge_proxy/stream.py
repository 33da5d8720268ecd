"""A session over plain HTTP, where no WebSocket gets through: answers as server-sent events, frames up by POST.

The same frames, `Session` and limits as over a WebSocket; `wire_protocol/README.md` has the specification.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import time
from base64 import b64encode
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from aiohttp import HttpVersion11, hdrs, web

from edge_proxy.dispatch import DRAINING
from edge_proxy.key_wait import with_keys
from edge_proxy.outgoing import Outgoing
from edge_proxy.session import HEARTBEAT_SECONDS, Close, Edge, Session
from edge_proxy.sockets import set_nodelay
from wire_protocol.streams import STREAM_HEADER, STREAM_PATH, TooLongError, split

ID_BYTES: Final = 24
"""Random bytes of a stream's name: who knows it may send for the session, so it must not be guessable."""
CONTENT_TYPE: Final = "application/octet-stream"
"""Asked for because a web page cannot send it elsewhere unasked: with no token on loopback, any page could knock."""
BODY_SECONDS: Final = 10.0
"""How long a client may take to send the body of one request."""
HARD_FACTOR: Final = 4
"""A message over the frame limit is answered with an error, and the session goes on; one this many times over it is
not even read: it ends a WebSocket (close code 1009), and a POST gets 413."""
LOOK_SECONDS: Final = 1.0
"""Between looks whether the client has left: aiohttp tells no handler."""
SILENT_SECONDS: Final = 2.5 * HEARTBEAT_SECONDS
"""A client that sent nothing, not even an empty body, for so long is gone."""
_COMMENT: Final = b": \n\n"


class Closable(Protocol):
    """What the server's end of a session is closed by."""

    async def close(self, *, code: int = 1000) -> object:
        """Say goodbye with a WebSocket close code, which a stream does not pass on."""


class Connection(NamedTuple):
    """A session, what it writes to, and how it is closed."""

    session: Session
    outgoing: Outgoing
    socket: Closable
    transport: asyncio.Transport


@dataclass(eq=False, slots=True)
class _Stream:
    session: Session
    heard_at: float
    over: asyncio.Event = field(default_factory=asyncio.Event)
    uploading: bool = False
    close_for: Close | None = None

    async def close(self, *, code: int = 1000) -> None:
        """End it: its handler does the rest."""
        self.over.set()

    def end(self, close: Close) -> None:
        """The session said that it is over."""
        self.close_for = close
        self.over.set()


def event(payload: bytes) -> bytes:
    """One frame as a server-sent event, in a chunk of HTTP's chunked encoding (RFC 9112, section 7.1)."""
    data = b"data: " + b64encode(payload) + b"\n\n"
    return _chunk(data)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class Streams:
    """The two routes. `numbers` and `connections` are those of all sessions, whatever they run over."""

    def __init__(
        self, edge: Edge, numbers: Iterator[int] | itertools.count[int], connections: MutableMapping[int, Connection]
    ) -> None:
        self._edge: Final = edge
        self._numbers: Final = numbers
        self._connections: Final = connections
        self._streams: Final[dict[str, _Stream]] = {}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Serve both."""
        router.add_post(STREAM_PATH, self.open)
        router.add_post(STREAM_PATH + "/{id}", self.upload)

    async def open(self, request: web.Request) -> web.StreamResponse:
        """`hello` comes as the body; the answer has every frame to the client, and lasts as long as the session."""
        if self._edge.dispatcher.draining:
            return web.Response(status=503, text=f"{DRAINING}\n")
        if request.version < HttpVersion11:
            return web.Response(status=505, text="A stream needs HTTP/1.1.\n")
        if request.headers.get(hdrs.CONTENT_TYPE) != CONTENT_TYPE:
            return web.Response(status=415, text=f"The body should be {CONTENT_TYPE}.\n")
        hello = await self._body(request)
        if hello is None:
            return web.Response(status=413, text="The body should be one hello frame.\n")
        transport = request.transport
        if transport is None or transport.is_closing():
            return web.Response()
        set_nodelay(transport)
        id = secrets.token_urlsafe(ID_BYTES)
        response = web.StreamResponse(headers=_headers(id))
        response.enable_chunked_encoding()
        await response.prepare(request)
        limits, metrics = self._edge.limits, self._edge.metrics
        outgoing = Outgoing(transport, limits.outgoing_bytes, self._edge.turns, metrics.bytes_out.inc, event)
        number = next(self._numbers)
        stream = _Stream(Session(number, outgoing, self._edge), time.monotonic())
        self._connections[number] = Connection(stream.session, outgoing, stream, transport)
        self._streams[id] = stream
        try:
            close = await with_keys(stream.session.receive(hello), self._edge.authenticator)
            if close is None and stream.session.greeted:
                await self._until_over(stream, transport)
            elif close is not None:
                stream.end(close)
        finally:
            del self._streams[id], self._connections[number]
            stream.session.end(self._cause(stream, outgoing))
            with contextlib.suppress(ConnectionError):
                await response.write_eof()
        return response

    async def _until_over(self, stream: _Stream, transport: asyncio.Transport) -> None:
        comment_at = time.monotonic() + HEARTBEAT_SECONDS
        while not stream.over.is_set() and not transport.is_closing():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await stream.over.wait()
            now = time.monotonic()
            if now - stream.heard_at > SILENT_SECONDS:
                return
            if now >= comment_at and not transport.is_closing():
                comment_at = now + HEARTBEAT_SECONDS
                transport.write(_chunk(_COMMENT))  # keeps what lies between from taking the stream for dead

    def _cause(self, stream: _Stream, outgoing: Outgoing) -> str:
        if outgoing.cut_off:
            return "slow_reader"
        if stream.session.cut_for is not None:
            return stream.session.cut_for.cause
        if self._edge.dispatcher.draining:
            return "drained"
        return "client_left" if stream.close_for is None else stream.close_for.cause

    async def upload(self, request: web.Request) -> web.Response:
        """Frames of a session, in order; one such request at a time. An empty body is a ping."""
        stream = self._streams.get(request.match_info["id"])
        if stream is None:
            return web.Response(status=404, text="There is no such stream: open another.\n")
        if stream.uploading:
            return web.Response(status=409, text="Another request of this stream is under way; send one at a time.\n")
        stream.uploading = True
        try:
            return await self._take(request, stream)
        finally:
            stream.uploading = False

    async def _take(self, request: web.Request, stream: _Stream) -> web.Response:
        body = await self._body(request)
        if body is None:
            return web.Response(status=413, text="The body is too large, or did not come in time.\n")
        stream.heard_at = time.monotonic()
        try:
            frames = split(body)
        except TooLongError as error:
            return web.Response(status=400, text=f"{error}\n")
        for frame in frames:
            if stream.over.is_set():
                break
            close = await with_keys(stream.session.receive(frame), self._edge.authenticator)
            if close is not None:
                stream.end(close)
        return web.Response(status=204)

    async def _body(self, request: web.Request) -> bytes | None:
        """The whole body; None if it is too large, too slow, or breaks off."""
        limit = HARD_FACTOR * self._edge.limits.frame_bytes
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for part in request.content.iter_any():
                    body += part
                    if len(body) > limit:
                        return None
        except (TimeoutError, ConnectionError, web.RequestPayloadError):
            return None
        return bytes(body)


def _headers(id: str) -> dict[str, str]:
    return {
        hdrs.CONTENT_TYPE: "text/event-stream",
        hdrs.CACHE_CONTROL: "no-store, no-transform",
        "X-Accel-Buffering": "no",  # nginx passes it on as it comes
        STREAM_HEADER: id,
    }
