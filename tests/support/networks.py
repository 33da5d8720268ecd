"""Stand-ins for what lies between an editor and its edge: a company's HTTP proxy, and a line that can go dead."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from base64 import b64encode
from collections import Counter

from certificates import FakeAuthority, Pair

HERE = "127.0.0.1"
HEAD_BYTES = 65_536


class _FakeServer:
    """Connections on a free port, each in a task of its own."""

    def __init__(self) -> None:
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, HERE, 0, limit=HEAD_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.handle(reader, writer)
        except (OSError, EOFError, ssl.SSLError):
            pass
        finally:
            writer.transport.abort()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError


class FakeForwardProxy(_FakeServer):
    """An HTTP proxy as companies have them; it sends every host's name to this machine.

    `credentials` ("user:password") are asked for; with an `authority` it reads what is inside TLS, showing certificates
    of its own, and trusts only `upstream`; with `blocks_websockets` it refuses upgrades that it can read.
    """

    def __init__(
        self,
        *,
        credentials: str = "",
        authority: FakeAuthority | None = None,
        upstream: FakeAuthority | None = None,
        blocks_websockets: bool = False,
    ) -> None:
        super().__init__()
        self.credentials = credentials
        self.authority = authority
        self.upstream = upstream
        self.blocks_websockets = blocks_websockets
        self.seen: Counter[str] = Counter()
        """What happened: `CONNECT`, `refused` (no password), `inspected` (TLS opened), `blocked`, `POST`."""
        self._shown: dict[str, Pair] = {}

    @property
    def url(self) -> str:
        user = f"{self.credentials}@" if self.credentials else ""
        return f"http://{user}{HERE}:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        expected = b"proxy-authorization: basic " + b64encode(self.credentials.encode()).lower()
        if self.credentials and expected not in head.lower():
            self.seen["refused"] += 1
            writer.write(
                b'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n'
                b"Content-Length: 0\r\n\r\n"
            )
            await writer.drain()
            return
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        if method == "CONNECT":
            self.seen["CONNECT"] += 1
            host, _, port = target.rpartition(":")
            await self._tunnel(reader, writer, host, int(port))
        else:  # a request for a plain http:// address
            port = int(target.split("/")[2].rpartition(":")[2])
            await self._forward(reader, writer, *await asyncio.open_connection(HERE, port), head)

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int) -> None:
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.drain()
        tls = None
        if self.authority is not None and self.upstream is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            pair = self._shown.setdefault(host, self.authority.sign(host))
            context.load_cert_chain(pair.cert, pair.key)
            await writer.start_tls(context)
            self.seen["inspected"] += 1
            tls = ssl.create_default_context(cafile=str(self.upstream.pair.cert))
        beyond = await asyncio.open_connection(HERE, port, ssl=tls, server_hostname=host if tls is not None else None)
        if tls is None and not self.blocks_websockets:
            await _pipe_both(reader, writer, *beyond)
        else:
            await self._forward(reader, writer, *beyond, await reader.readuntil(b"\r\n\r\n"))

    async def _forward(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answers: asyncio.StreamReader,
        beyond: asyncio.StreamWriter,
        head: bytes,
    ) -> None:
        if self.blocks_websockets and b"upgrade: websocket" in head.lower():
            self.seen["blocked"] += 1
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            beyond.transport.abort()
            return
        self.seen[head.split(b" ", 1)[0].decode()] += 1
        beyond.write(head)
        await _pipe_both(reader, writer, answers, beyond)


class FakeCable(_FakeServer):
    """A line to a port of this machine. `cut` makes what is connected dead: nothing comes through or is closed."""

    def __init__(self, target: int) -> None:
        super().__init__()
        self._target = target
        self._cut_before = 0
        self._number = 0
        self.connections = 0

    def cut(self) -> None:
        """As sleep and a change of network do: both ends think that they are connected."""
        self._cut_before = self._number

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._number += 1
        self.connections += 1
        number = self._number
        answers, beyond = await asyncio.open_connection(HERE, self._target)

        async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(HEAD_BYTES):
                if number > self._cut_before:
                    sink.write(data)
                    await sink.drain()

        try:
            await _first(carry(reader, beyond), carry(answers, writer))
        finally:
            beyond.transport.abort()


async def _pipe_both(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    answers: asyncio.StreamReader,
    beyond: asyncio.StreamWriter,
) -> None:
    try:
        await _first(_pipe(reader, beyond), _pipe(answers, writer))
    finally:
        beyond.transport.abort()


async def _pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(HEAD_BYTES):
        sink.write(data)
        await sink.drain()


async def _first(*works: object) -> None:
    tasks = [asyncio.ensure_future(work) for work in works]  # type: ignore[call-overload]  # coroutines
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(OSError):
            await asyncio.gather(*tasks, return_exceptions=True)
