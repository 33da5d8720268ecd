"""A client of an OpenAI-compatible gateway, by hand and cheap: asks again as soon as it is answered."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import Callable
from typing import Final

from benchmarks.edge.openai_stand_in import MODEL
from benchmarks.edge.stand_in import CHUNKS, Timings

_TEXT: Final = re.compile(rb'"text": ?"((?:chunk \d+ )+)"')
_WHOLE: Final = "".join(CHUNKS[: Timings().chunks]).encode()
_END: Final = b"0\r\n\r\n"
"""The last piece of HTTP's chunked encoding: no event ends so."""


class HttpClient(asyncio.Protocol):
    """One connection. `wants_more` says whether to ask again; `quickack` acknowledges at once, as few clients do."""

    def __init__(self, prompt: Callable[[], str], wants_more: Callable[[], bool], *, quickack: bool = False) -> None:
        self._prompt: Final = prompt
        self._wants_more: Final = wants_more
        self._quickack: Final = quickack
        self._transport: asyncio.Transport | None = None
        self._socket: socket.socket | None = None
        self._received = b""
        self._asked_at = 0.0
        self._first_at = 0.0
        self.idle: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.first: list[float] = []
        """Seconds to the first text of each answer."""
        self.right = 0
        self.wrong: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self._transport = transport  # type: ignore[assignment]  # uvloop's transports are of no common class
        self._socket = transport.get_extra_info("socket")
        if self._socket is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        """The gateway hung up."""
        if not self.idle.done():
            self.wrong.append(b"hung up")
            self.idle.set_result(None)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def _ask(self) -> None:
        body = json.dumps(
            {"model": MODEL, "prompt": self._prompt(), "suffix": "\n", "max_tokens": 64, "stream": True}
        ).encode()
        self._received, self._first_at = b"", 0.0
        self._asked_at = time.monotonic()
        assert self._transport is not None
        self._transport.write(
            b"POST /v1/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Authorization: Bearer bench-token\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )

    def data_received(self, data: bytes) -> None:
        """A part of the answer."""
        if self._quickack and self._socket is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # the kernel forgets it each time
        self._received += data
        if not self._first_at and b"data: " in self._received:
            self._first_at = time.monotonic()
        if self._received.endswith(_END) or not self._received.startswith(b"HTTP/1.1 200"):
            self._answered()

    def _answered(self) -> None:
        text = b"".join(_TEXT.findall(self._received))
        if text == _WHOLE and b"[DONE]" in self._received:
            self.right += 1
            self.first.append(self._first_at - self._asked_at)
        else:
            self.wrong.append(self._received[:300])
        if self._wants_more() and not self.wrong:
            self._ask()
        elif not self.idle.done():
            self.idle.set_result(None)


async def ask_until(
    port: int, until: float, count: int, prompt: Callable[[], str], *, quickack: bool = False
) -> list[HttpClient]:
    """`count` connections that ask until `until`, on the monotonic clock; all are answered when this returns."""
    loop = asyncio.get_running_loop()

    def client() -> HttpClient:
        return HttpClient(prompt, lambda: time.monotonic() < until, quickack=quickack)

    made = await asyncio.gather(*(loop.create_connection(client, "127.0.0.1", port) for _ in range(count)))
    clients = [client for _, client in made]
    await asyncio.gather(*(client.idle for client in clients))
    for client in clients:
        client.close()
    return clients
