"""WebSocket messages by hand, as cheap as Python allows: the load generator must not be what is measured."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Final

from wire_protocol.frames import SUBPROTOCOL

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
BINARY: Final = 2
PING: Final = 9
CLOSE: Final = 8


def message(payload: bytes, opcode: int = BINARY, *, masked: bool) -> bytes:
    """One final frame. The mask is zero, which is valid and costs no time; the other side unmasks all the same."""
    bit = 0x80 if masked else 0
    key = b"\0\0\0\0" if masked else b""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, bit | size)) + key + payload
    if size < 1 << 16:
        return struct.pack("!BBH", 0x80 | opcode, bit | 126, size) + key + payload
    return struct.pack("!BBQ", 0x80 | opcode, bit | 127, size) + key + payload


class Frames:
    """Splits a stream into (opcode, payload); frames are final, as Foretype's programs send them."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """What is complete now."""
        buffer = self._rest + data if self._rest else data
        at, end = 0, len(buffer)
        while end - at >= 2:
            size = buffer[at + 1] & 0x7F
            start = at + 2
            if size == 126:
                if end - at < 4:
                    break
                size = int.from_bytes(buffer[at + 2 : at + 4], "big")
                start = at + 4
            elif size == 127:
                if end - at < 10:
                    break
                size = int.from_bytes(buffer[at + 2 : at + 10], "big")
                start = at + 10
            masked = buffer[at + 1] & 0x80
            stop = start + (4 if masked else 0) + size
            if stop > end:
                break
            payload = buffer[start:stop]
            yield buffer[at] & 0x0F, _unmasked(payload) if masked else payload
            at = stop
        self._rest = buffer[at:]


def _unmasked(data: bytes) -> bytes:
    key, payload = data[:4], data[4:]
    size = len(payload)
    whole = int.from_bytes((key * (size // 4 + 1))[:size], "big")
    return (int.from_bytes(payload, "big") ^ whole).to_bytes(size, "big")


class RawSocket(asyncio.Protocol):
    """One side of a WebSocket; `server` answers the handshake, a client makes it."""

    def __init__(self, *, server: bool) -> None:
        self._server: Final = server
        self._frames: Final = Frames()
        self._head = b""
        self._open = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed = False
        self.transport: asyncio.Transport | None = None
        self.on_message: Callable[[bytes], None] = lambda payload: None
        self.on_close: Callable[[], None] = lambda: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Client: ask for the upgrade."""
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self.transport = transport  # type: ignore[assignment]  # uvloop's transports are of no common class
        found = transport.get_extra_info("socket")
        if found is not None and found.family in {socket.AF_INET, socket.AF_INET6}:
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self._server:
            key = base64.b64encode(os.urandom(16)).decode()
            self.write_raw(
                f"GET /v1/session HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
                f"Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n".encode()
            )

    def write_raw(self, data: bytes) -> None:
        """Bytes that are framed already."""
        if self.transport is not None and not self.closed:
            self.transport.write(data)

    def send(self, payload: bytes) -> None:
        """One binary message."""
        self.write_raw(message(payload, masked=not self._server))

    def data_received(self, data: bytes) -> None:
        """Handshake, then messages."""
        if not self._open:
            self._head += data
            head, found, data = self._head.partition(b"\r\n\r\n")
            if not found:
                return
            self._shake(head)
        for opcode, payload in self._frames.feed(data):
            if opcode == BINARY:
                self.on_message(payload)
            elif opcode == PING:
                self.write_raw(message(payload, 10, masked=not self._server))

    def _shake(self, head: bytes) -> None:
        self._open = True
        if self._server:
            lines = (line.partition(b":") for line in head.split(b"\r\n"))
            key = next(value.strip() for name, _, value in lines if name.lower() == b"sec-websocket-key")
            accept = base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode()
            self.write_raw(
                f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n".encode()
            )
        elif not head.startswith(b"HTTP/1.1 101"):
            self.opened.set_exception(ConnectionError(head.split(b"\r\n")[0].decode()))
            return
        if not self.opened.done():
            self.opened.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        """The other side is gone."""
        self.closed = True
        self.on_close()
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("closed in the handshake"))
