"""A stand-in for an OpenAI-compatible server behind a gateway: no model, fixed timings, server-sent events."""

from __future__ import annotations

import asyncio
import json
from typing import Final

from benchmarks.edge.stand_in import CHUNKS, Timings

MODEL: Final = "stand-in"
_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def _piece(data: bytes) -> bytes:
    """One piece of HTTP's chunked encoding."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _event(text: str, reason: str | None) -> bytes:
    choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": reason}
    body = {"id": "s", "object": "text_completion", "created": 1, "model": MODEL, "choices": [choice]}
    return _piece(b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n")


_END: Final = _piece(b"data: [DONE]\n\n") + b"0\r\n\r\n"


def _answer(body: object) -> bytes:
    data = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(data), data)


_MODELS: Final = _answer({"object": "list", "data": [{"id": MODEL, "object": "model", "created": 1, "owned_by": "x"}]})
_OTHER: Final = _answer({"status": "ok", "model_path": MODEL, "tokens": [], "token_ids": []})
"""What gateways ask beside: health, information about the server, a rendered prompt."""


class OpenAIStandIn:
    """Listens on a port of its own; `timings` may be replaced between two loads."""

    def __init__(self, timings: Timings) -> None:
        self.timings = timings
        self.asked = 0
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on loopback."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, backlog=1_024)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()


class _Connection(asyncio.Protocol):
    def __init__(self, server: OpenAIStandIn) -> None:
        self._server: Final = server
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's transports are of no common class

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._transport is not None and self._received.startswith(b"PRI "):
            self._transport.abort()  # HTTP/2: a gateway tries whether this is a gRPC server
            return
        while True:
            head, found, rest = self._received.partition(b"\r\n\r\n")
            if not found:
                return
            size = _body_length(head, rest)
            if len(rest) < size:
                return
            self._received = rest[size:]
            self._serve(head.split(b" ", 2)[1])

    def _serve(self, path: bytes) -> None:
        if path.endswith(b"/completions"):
            self._server.asked += 1
            timings = self._server.timings
            if timings.first or timings.between:
                asyncio.get_running_loop().call_later(timings.first, self._say, 0, timings)
            else:
                self._write(_HEAD)
                for number in range(timings.chunks):
                    self._write(self._event(number, timings))
                self._write(_END)
        else:
            self._write(_MODELS if path.endswith(b"/models") else _OTHER)

    def _say(self, number: int, timings: Timings) -> None:
        last = number + 1 == timings.chunks
        data = self._event(number, timings)
        self._write((b"" if number else _HEAD) + data + (_END if last else b""))
        if not last:
            asyncio.get_running_loop().call_later(timings.between, self._say, number + 1, timings)

    @staticmethod
    def _event(number: int, timings: Timings) -> bytes:
        return _event(CHUNKS[number], "stop" if number + 1 == timings.chunks else None)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


def _body_length(head: bytes, rest: bytes) -> int:
    """Bytes of the request's body, of which `rest` has come; one more than that while its end is not in sight."""
    for line in head.lower().split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
        if name == b"transfer-encoding" and b"chunked" in value:
            end = 0 if rest.startswith(b"0\r\n\r\n") else rest.find(b"\r\n0\r\n\r\n") + 2
            return len(rest) + 1 if end == 1 else end + len(b"0\r\n\r\n")
    return 0
