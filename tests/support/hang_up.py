"""A peer that asks for a session and is gone at once, as an editor does that is closed while it connects."""

from __future__ import annotations

import asyncio
import socket
import struct

from wire_protocol.codec import encode
from wire_protocol.frames import SUBPROTOCOL, Hello

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of 0 seconds: closing sends RST, so that the other side's next write fails."""


def _masked(payload: bytes) -> bytes:
    """One binary WebSocket message from a client; a mask of zeros leaves the payload as it is (RFC 6455, 5.3)."""
    return bytes((0x82, 0x80 | len(payload))) + bytes(4) + payload


async def hang_up(host: str, port: int, *, hello: bool) -> None:
    """Connect, ask for the upgrade, say hello if told to, and reset the connection without reading anything."""
    _, writer = await asyncio.open_connection(host, port)
    upgrade = (
        f"GET /v1/session HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
    )
    writer.write(upgrade.encode() + (_masked(encode(Hello())) if hello else b""))
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
