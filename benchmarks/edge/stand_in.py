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


def said(typed: str) -> int:
    """How many chunks a lost worker had said: the proxy gives them to the next one as if they were typed."""
    return max((count for count in range(1, len(CHUNKS)) if typed.endswith("".join(CHUNKS[:count]))), default=0)


class _Job:
    """One answer being played."""

    __slots__ = ("base", "chunk", "id", "live", "socket", "trace")

    def __init__(self, socket: RawSocket, id: int, trace: str, chunk: int) -> None:
        self.socket = socket
        self.id = id
        self.trace = trace
        self.chunk = chunk
        """The next one to be said."""
        self.base = OFFSETS[chunk]
        self.live = True


class StandInWorker:
    """A worker for any number of connections. Text of one event-loop turn goes out as one frame, as a real one's does.

    It takes a client's `complete` too, as if it were a proxy: the way without one, to compare with.
    """

    def __init__(self, timings: Timings, name: str = "stand-in") -> None:
        self.timings = timings
        """May be replaced between two loads."""
        self.name: Final = name
        self.submits = 0
        self.generated = 0
        self.cancelled_at: dict[str, float] = {}
        """When each cancel came, by the request's trace."""
        self.spoke: dict[str, float] = {}
        """When the first chunk of each request was sent, by its trace."""
        self.on_submit: Callable[[dict[str, Any]], None] = lambda submit: None
        self.connected = False
        """Whether anybody has said hello."""
        self._due: list[tuple[float, int, _Job]] = []
        self._planned = 0
        self._live: dict[tuple[RawSocket, int], _Job] = {}
        self._sockets: list[RawSocket] = []
        self._servers: list[asyncio.Server] = []
        self._timer: asyncio.TimerHandle | None = None

    async def start(self, path: str) -> None:
        """Listen on the Unix socket `path`."""
        self._servers.append(await asyncio.get_running_loop().create_unix_server(self._accept, path))

    async def start_tcp(self) -> int:
        """Listen on loopback; the port."""
        server = await asyncio.get_running_loop().create_server(self._accept, "127.0.0.1", 0, backlog=1_024)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    def stop(self) -> None:
        """Close everything."""
        for server in self._servers:
            server.close()
        for socket in self._sockets:
            if socket.transport is not None:
                socket.transport.abort()

    def _accept(self) -> RawSocket:
        accepted = RawSocket(server=True)
        accepted.on_message = lambda payload: self._receive(accepted, payload)
        self._sockets.append(accepted)
        return accepted

    def _receive(self, socket: RawSocket, payload: bytes) -> None:
        frame = msgpack.unpackb(payload)
        match frame["type"]:
            case "submit" | "complete":
                self.submits += 1
                self.on_submit(frame)
                typed = frame["context"].get("typed", "") if frame["type"] == "submit" else ""
                job = _Job(socket, frame["id"], frame.get("trace", ""), said(typed) if "chunk" in typed else 0)
                self._live[socket, job.id] = job
                self._plan(time.monotonic() + self.timings.first, job)
            case "cancel":
                now = time.monotonic()
                for id in frame["ids"]:
                    job = self._live.get((socket, id))
                    if job is not None:
                        self.cancelled_at[job.trace] = now
                        self._end(job, "cancelled", 0)
            case "hello":
                self.connected = True
                socket.send(encode(Welcome(session="s", models=[ModelInfo(name=self.name)])))
                socket.send(encode(Credit(grant=self.timings.slots)))

    def _plan(self, at: float, job: _Job) -> None:
        self._planned += 1
        heapq.heappush(self._due, (at, self._planned, job))
        if self._timer is None:
            self._set_timer()

    def _set_timer(self) -> None:
        wait = max(0.0, self._due[0][0] - time.monotonic())
        self._timer = asyncio.get_running_loop().call_later(wait, self._play)

    def _play(self) -> None:
        self._timer = None
        now = time.monotonic()
        items: dict[RawSocket, list[list[object]]] = {}
        ended = []
        while self._due and self._due[0][0] <= now:
            at, _, job = heapq.heappop(self._due)
            if not job.live:
                continue
            if job.trace not in self.spoke:
                self.spoke[job.trace] = now
            chunk = job.chunk
            items.setdefault(job.socket, []).append([job.id, OFFSETS[chunk] - job.base, CHUNKS[chunk], 1])
            job.chunk += 1
            if job.chunk >= self.timings.chunks:
                ended.append(job)
            else:
                self._planned += 1
                heapq.heappush(self._due, (at + self.timings.between, self._planned, job))
        for socket, said_now in items.items():
            self.generated += len(said_now)
            for start in range(0, len(said_now), 1_000):
                socket.send(msgpack.packb({"type": "tokens", "items": said_now[start : start + 1_000]}))
        for job in ended:
            self._end(job, "stop", self.timings.chunks)
        if self._due:
            self._set_timer()

    def _end(self, job: _Job, reason: str, tokens: int) -> None:
        job.live = False
        del self._live[job.socket, job.id]
        usage = {"prompt_tokens": 400, "generated_tokens": tokens}
        job.socket.send(msgpack.packb({"type": "done", "id": job.id, "reason": reason, "usage": usage}))
        job.socket.send(msgpack.packb({"type": "credit", "grant": 1}))
