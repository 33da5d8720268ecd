"""What carries the frames of one session: a WebSocket, or where none gets through a stream over HTTP."""

from __future__ import annotations

import socket
import struct
import time
from typing import Final, Protocol

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed


class WireClosedError(Exception):
    """The connection is gone. `reason` is what the peer gave, if any; `refused`: it was closed for breaking a rule."""

    def __init__(self, reason: str = "", *, refused: bool = False) -> None:
        super().__init__(reason or "the connection was closed")
        self.reason = reason
        self.refused = refused


class Wire(Protocol):
    """One open connection. Every method raises WireClosedError once it is gone, and nothing else."""

    async def send(self, data: bytes) -> None:
        """Send one frame."""
        ...

    async def recv(self) -> bytes | str:
        """The next frame; text where the peer breaks the protocol."""
        ...

    async def ping(self) -> float:
        """Wait until the peer answers; the round trip in seconds."""
        ...

    async def close(self) -> None:
        """Say goodbye."""
        ...

    def abort(self) -> None:
        """Drop the connection at once."""
        ...


_POLICY_VIOLATION: Final = 1008
_CREDENTIALS: Final = struct.Struct("3i")
"""Linux's `struct ucred`: process, user, group."""


class WebSocketWire:
    """A `Wire` over a WebSocket."""

    def __init__(self, websocket: ClientConnection) -> None:
        self._websocket = websocket

    async def send(self, data: bytes) -> None:
        """Send one frame."""
        try:
            await self._websocket.send(data)
        except (ConnectionClosed, OSError) as error:
            raise _closed(error) from None

    async def recv(self) -> bytes | str:
        """The next frame."""
        try:
            return await self._websocket.recv()
        except (ConnectionClosed, OSError) as error:
            raise _closed(error) from None

    async def ping(self) -> float:
        """Wait for the pong; the round trip in seconds."""
        sent_at = time.perf_counter()
        try:
            await (await self._websocket.ping())
        except (ConnectionClosed, OSError) as error:
            raise _closed(error) from None
        return time.perf_counter() - sent_at

    async def close(self) -> None:
        """Say goodbye."""
        try:
            await self._websocket.close()
        except (ConnectionClosed, OSError) as error:
            raise _closed(error) from None

    def abort(self) -> None:
        """Drop the connection at once."""
        self._websocket.transport.abort()

    def peer_pid(self) -> int | None:
        """The process at the other end of a unix socket, on systems that tell (Linux); None elsewhere."""
        raw = self._websocket.transport.get_extra_info("socket")
        if raw is None or not hasattr(socket, "SO_PEERCRED") or raw.family != socket.AF_UNIX:
            return None
        try:
            found = raw.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        except OSError:
            return None  # closed a moment ago
        pid, _, _ = _CREDENTIALS.unpack(found)
        return int(pid)


def _closed(error: ConnectionClosed | OSError) -> WireClosedError:
    received = error.rcvd if isinstance(error, ConnectionClosed) else None
    if received is None:
        return WireClosedError()
    return WireClosedError(received.reason, refused=received.code == _POLICY_VIOLATION)
