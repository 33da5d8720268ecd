"""A stand-in worker: no model, it plays fixed timings. It says when it was asked and told to stop."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgpack

from benchmarks.edge.raw_socket import RawSocket
from wire_protocol.codec import encode
from wire_protocol.frames import Credit, ModelInfo, Welcome

CHUNKS: Final = tuple(f"chunk {number} " for number in range(64))
"""What it says: the same words always, so that a lost or repeated one shows."""

OFFSETS: Final = tuple(sum(map(len, CHUNKS[:number])) for number in range(len(CHUNKS)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Seconds to the first chunk and between chunks; `slots` requests run at once, the others wait at the proxy."""

    first: float = 0.02
    between: float = 0.01
    chunks: int = 8
    slots: int = 64

    @property
    def whole(self) -> float:
        """Seconds that one request holds a slot."""
        return self.first + (self.chunks - 1) * self.between

    @property
    def capacity(self) -> float:
        """Requests a second."""
        return self.slots / self.whole


class StandInWorker:
    """One worker on a Unix socket. Text of one event-loop turn goes out as one `tokens` frame, as a real one's does."""

    def __init__(self, timings: Timings, name: str = "stand-in") -> None:
        self.timings: Final = timings
        self.name: Final = name
        self.submits = 0
        self.generated = 0
        self.cancelled_at: dict[str, float] = {}
        """When each cancel came, by the request's trace."""
        self.spoke: dict[str, float] = {}
        """When the first chunk of each request was sent, by its trace."""
        self.on_submit: Callable[[dict[str, Any]], None] = lambda submit: None
        self._due: list[tuple[float, int, int]] = []
        self._live: dict[int, str] = {}
        self._socket: RawSocket | None = None
        self._server: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def connected(self) -> bool:
        """Whether a proxy has said hello."""
        return self._socket is not None

    async def start(self, path: str) -> None:
        """Listen on `path`."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(self._accept, path)

    def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        if self._socket is not None and self._socket.transport is not None:
            self._socket.transport.abort()

    def _accept(self) -> RawSocket:
        accepted = RawSocket(server=True)

        def receive(payload: bytes) -> None:
            self._socket = accepted
            self._receive(payload)

        accepted.on_message = receive
        return accepted

    def _receive(self, payload: bytes) -> None:
        frame = msgpack.unpackb(payload)
        match frame["type"]:
            case "submit":
                self.submits += 1
                now = time.monotonic()
                self._live[frame["id"]] = frame.get("trace", "")
                self.on_submit(frame)
                self._plan(now + self.timings.first, frame["id"], 0)
            case "cancel":
                now = time.monotonic()
                for id in frame["ids"]:
                    if id in self._live:
                        self.cancelled_at[self._live[id]] = now
                        self._end(id, "cancelled", 0)
            case "hello":
                self._send(encode(Welcome(session="s", models=[ModelInfo(name=self.name)])))
                self._send(encode(Credit(grant=self.timings.slots)))

    def _send(self, payload: bytes) -> None:
        if self._socket is not None:
            self._socket.send(payload)

    def _plan(self, at: float, id: int, chunk: int) -> None:
        heapq.heappush(self._due, (at, id, chunk))
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, self._due[0][0] - time.monotonic()), self._play)

    def _play(self) -> None:
        self._timer = None
        now = time.monotonic()
        items, ended = [], []
        while self._due and self._due[0][0] <= now:
            at, id, chunk = heapq.heappop(self._due)
            if id not in self._live:
                continue
            items.append([id, OFFSETS[chunk], CHUNKS[chunk], 1])
            if not chunk:
                self.spoke[self._live[id]] = now
            if chunk + 1 == self.timings.chunks:
                ended.append(id)
            else:
                heapq.heappush(self._due, (at + self.timings.between, id, chunk + 1))
        self.generated += len(items)
        for start in range(0, len(items), 1_000):
            self._send(msgpack.packb({"type": "tokens", "items": items[start : start + 1_000]}))
        for id in ended:
            self._end(id, "stop", self.timings.chunks)
        if self._due:
            wait = max(0.0, self._due[0][0] - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(wait, self._play)

    def _end(self, id: int, reason: str, tokens: int) -> None:
        del self._live[id]
        usage = {"prompt_tokens": 400, "generated_tokens": tokens}
        self._send(msgpack.packb({"type": "done", "id": id, "reason": reason, "usage": usage}))
        self._send(msgpack.packb({"type": "credit", "grant": 1}))
