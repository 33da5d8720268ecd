"""A session over plain HTTP, for networks that let no WebSocket through: server-sent events down, POSTs up.

aiohttp is imported here only, and this file only where it is needed: it would be half of the server's start.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from base64 import b64decode
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from lsp_server.sources.handshake import (
    AUTH_PAUSE_S,
    CLIENT,
    OVER_HTTP,
    Decode,
    DialError,
    Opened,
    first_frame,
    refused_by_proxy,
    shown_url,
    unreachable,
    way_out,
    welcomed,
)
from lsp_server.sources.outward import Outward
from lsp_server.sources.wire import WireClosedError
from lsp_server.version import version
from wire_protocol.addresses import SESSION_PATH
from wire_protocol.codec import DEFAULT_FRAME_BYTES
from wire_protocol.streams import STREAM_HEADER, STREAM_PATH, join

UPLOAD_S: Final = 10.0
"""For one POST: as long as a peer may take to answer a ping."""
MAX_WAITING_BYTES: Final = 4 * DEFAULT_FRAME_BYTES
"""Of frames that wait for the POST before them: beyond it the connection does not carry what is typed."""
MAX_POST_BYTES: Final = DEFAULT_FRAME_BYTES
"""Of frames in one POST (one frame may be as large alone); the proxy reads four times that."""
_DATA: Final = b"data: "


class NoStreamError(DialError):
    """The server there offers no streams."""


def stream_url(url: str) -> str:
    """Where the edge at `url` (ws:// or wss://) offers streams."""
    parts = urlsplit(url)
    path = parts.path.removesuffix(SESSION_PATH) + STREAM_PATH
    return urlunsplit(("https" if parts.scheme == "wss" else "http", parts.netloc, path, parts.query, ""))


async def open_stream(url: str, token: str, decode: Decode, timeout_s: float, outward: Outward) -> Opened:
    """A session with the edge at `url`. Raises DialError. `timeout_s` covers everything."""
    address = shown_url(url)
    proxy, tls = await way_out(url, address, outward)
    hello = first_frame(token)
    wire = StreamWire(stream_url(url), proxy, tls)
    try:
        async with asyncio.timeout(timeout_s):
            await wire.open(hello, address)
            welcome = await welcomed(wire, address, decode)
    except TimeoutError:
        wire.abort()
        raise DialError(f"{address} did not answer within {timeout_s:g} s.") from None
    except BaseException:
        wire.abort()
        raise
    return Opened(wire, welcome, f"{address}{OVER_HTTP}")


class StreamWire:
    """A `Wire` whose frames go up in POSTs, one at a time: what waits meanwhile shares the next."""

    def __init__(self, url: str, proxy: str | None, tls: ssl.SSLContext | None) -> None:
        self._url: Final = url
        self._proxy = proxy
        self._tls = tls if tls is not None else True
        self._http = aiohttp.ClientSession(
            headers={"User-Agent": f"{CLIENT}/{version()}", "Accept-Encoding": "identity"},
            timeout=aiohttp.ClientTimeout(total=None),
            read_bufsize=DEFAULT_FRAME_BYTES,
            auto_decompress=False,
        )
        self._answer: aiohttp.ClientResponse | None = None
        self._name = ""
        self._waiting: list[bytes] = []
        self._pings: list[asyncio.Future[float]] = []
        self._to_post = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._lost: WireClosedError | None = None
        self._pump = asyncio.create_task(self._post_all(), name="foretype stream")

    async def open(self, hello: bytes, address: str) -> None:
        """Ask for the stream. Raises DialError."""
        try:
            answer = await self._post(self._url, hello)
        except aiohttp.ClientHttpProxyError as error:
            raise refused_by_proxy(error.status, address, self._proxy) from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise unreachable(_as_ssl_error(error.certificate_error), address, self._proxy) from None
        except aiohttp.ClientConnectorError as error:
            raise unreachable(error.os_error, address, self._proxy) from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise NoStreamError(f"{address}: what answers there does not speak HTTP.") from None
        self._answer = answer
        self._name = answer.headers.get(STREAM_HEADER, "")
        if answer.status == 407:
            raise refused_by_proxy(answer.status, address, self._proxy)
        if answer.status == 401:
            raise DialError(f"{address} refused the token (HTTP 401). Check edge.token.", AUTH_PAUSE_S)
        if answer.status != 200 or not self._name:
            raise NoStreamError(f"{address} offers no streams (HTTP {answer.status}).")

    async def _post(self, url: str, body: bytes) -> aiohttp.ClientResponse:
        return await self._http.post(url, data=body, proxy=self._proxy, ssl=self._tls, allow_redirects=False)

    async def send(self, data: bytes) -> None:
        """Let one frame go up with the next POST."""
        if self._lost is not None:
            raise self._lost
        self._waiting.append(data)
        self._idle.clear()
        self._to_post.set()
        if sum(map(len, self._waiting)) > MAX_WAITING_BYTES:
            self._lose(WireClosedError("it does not take what is sent"))
            raise WireClosedError

    async def recv(self) -> bytes | str:
        """The next frame."""
        assert self._answer is not None
        try:
            async for line in self._answer.content:
                if line.startswith(_DATA):
                    return b64decode(line[len(_DATA) :].strip())
        except (aiohttp.ClientError, OSError, ValueError):
            pass  # cut off, or a line longer than any frame
        self._lose(WireClosedError())
        raise self._lost or WireClosedError()

    async def ping(self) -> float:
        """Wait until a POST is answered; the round trip in seconds."""
        if self._lost is not None:
            raise self._lost
        pong: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._pings.append(pong)
        self._to_post.set()
        return await pong

    async def close(self) -> None:
        """Let what waits go up, and hang up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(UPLOAD_S):
                await self._idle.wait()
        self.abort()

    def abort(self) -> None:
        """Drop everything at once."""
        self._lose(WireClosedError())
        if self._answer is not None:
            self._answer.close()
        self._pump.cancel()

    def _lose(self, why: WireClosedError) -> None:
        if self._lost is None:
            self._lost = why
        for pong in self._pings:
            if not pong.done():
                pong.set_exception(WireClosedError())
                pong.exception()  # whoever waits gets it; nobody may be waiting any more
        self._pings.clear()
        self._idle.set()

    async def _post_all(self) -> None:
        try:
            while self._lost is None:
                await self._to_post.wait()
                self._to_post.clear()
                while (self._waiting or self._pings) and self._lost is None:
                    await self._post_some()
                self._idle.set()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self._lose(WireClosedError(f"a POST failed ({type(error).__name__})"))
            if self._answer is not None:
                self._answer.close()  # wakes whoever reads
        finally:
            await self._http.close()

    async def _post_some(self) -> None:
        frames, pings = [self._waiting.pop(0)] if self._waiting else [], self._pings
        self._pings = []
        size = sum(map(len, frames))
        while self._waiting and (size := size + len(self._waiting[0])) <= MAX_POST_BYTES:
            frames.append(self._waiting.pop(0))
        sent_at = time.perf_counter()
        try:
            async with asyncio.timeout(UPLOAD_S):
                async with await self._post(f"{self._url}/{self._name}", join(frames)) as answer:
                    await answer.read()
        except BaseException:
            self._pings += pings  # `_lose` tells them
            raise
        if answer.status != 204:
            self._pings += pings
            raise aiohttp.ClientPayloadError(f"HTTP {answer.status}")
        for pong in pings:
            if not pong.done():
                pong.set_result(time.perf_counter() - sent_at)


def _as_ssl_error(error: Exception) -> OSError:
    return error if isinstance(error, OSError) else ssl.SSLError(str(error))
