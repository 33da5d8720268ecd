"""The frames that leave for one client: text coalesced per event-loop turn, bytes bounded, a slow reader cut off.

Writes WebSocket messages straight to the connection's transport. Server messages are one header and the payload
(RFC 6455, section 5.2: not masked; no compression was agreed), each written whole, so they mix freely with the pings
and closes that aiohttp writes. That keeps a write synchronous: the first token leaves in the turn it came in, with no
task per session.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, Protocol

from wire_protocol.codec import encode
from wire_protocol.frames import Done, ToClient, TokenBatch, Tokens

_BINARY_FINAL: Final = 0x82
_SHORT: Final = 126
_MEDIUM: Final = 1 << 16


class Transport(Protocol):
    """The part of asyncio.Transport that is needed."""

    def write(self, data: bytes) -> None: ...
    def get_write_buffer_size(self) -> int: ...
    def is_closing(self) -> bool: ...
    def abort(self) -> None: ...


def message_header(length: int) -> bytes:
    """The header of an unmasked, final binary WebSocket message of `length` bytes."""
    if length < _SHORT:
        return bytes((_BINARY_FINAL, length))
    if length < _MEDIUM:
        return struct.pack("!BBH", _BINARY_FINAL, 126, length)
    return struct.pack("!BBQ", _BINARY_FINAL, 127, length)


def message(payload: bytes) -> bytes:
    """`payload` as a WebSocket message."""
    return message_header(len(payload)) + payload


class _Pending:
    __slots__ = ("offset", "parts", "tokens")

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.parts: list[str] = []
        self.tokens = 0


class Outgoing:
    """`max_bytes` bounds what waits in this process for the client to read; beyond it the connection is aborted."""

    def __init__(
        self,
        transport: Transport,
        max_bytes: int,
        call_soon: Callable[[Callable[[], None]], object],
        sent: Callable[[int], None],
        wrap: Callable[[bytes], bytes] = message,
    ) -> None:
        """`call_soon` is the event loop's; `sent` is told the size of every message, in bytes.

        `wrap` makes of a frame what is written for it, whole: a WebSocket message, or what else carries the session.
        """
        self._transport: Final = transport
        self._max_bytes: Final = max_bytes
        self._call_soon: Final = call_soon
        self._sent: Final = sent
        self._wrap: Final = wrap
        self._pending: dict[int, _Pending] = {}
        self._ends: list[Done] = []
        self._scheduled = False
        self._closed = False
        self.cut_off = False
        """Whether the client was cut off because it read too slowly."""

    def text(self, id: int, offset: int, text: str, tokens: int, *, now: bool) -> None:
        """More of answer `id`: with the rest of this turn, or `now`, together with what already waits."""
        pending = self._pending.get(id)
        if pending is None:
            pending = self._pending[id] = _Pending(offset)
        pending.parts.append(text)
        pending.tokens += tokens
        if now:
            self.flush()
        else:
            self._flush_soon()

    def done(self, done: Done) -> None:
        """The end of an answer, after all its text."""
        self._ends.append(done)
        self._flush_soon()

    def send(self, frame: ToClient) -> None:
        """Any other frame, after what already waits."""
        self.flush()
        self._write(encode(frame))

    def flush(self) -> None:
        """Write what waits: one `tokens`, then each `done`."""
        self._scheduled = False
        if self._pending:
            items = [
                TokenBatch(id=id, offset=pending.offset, text="".join(pending.parts), tokens=pending.tokens)
                for id, pending in self._pending.items()
            ]
            self._pending = {}
            ends, self._ends = self._ends, []
            self._write(encode(Tokens(items=items)), *map(encode, ends))
        elif self._ends:
            ends, self._ends = self._ends, []
            self._write(*map(encode, ends))

    def close(self) -> None:
        """Write what waits, and nothing from here on."""
        self.flush()
        self._closed = True

    def _flush_soon(self) -> None:
        if not self._scheduled and not self._closed:
            self._scheduled = True
            self._call_soon(self.flush)

    def _write(self, *payloads: bytes) -> None:
        """All in one write: it costs more than all else here."""
        if self._closed or self._transport.is_closing():
            return
        self._transport.write(b"".join(map(self._wrap, payloads)))
        self._sent(sum(map(len, payloads)))
        if self._transport.get_write_buffer_size() > self._max_bytes:
            self.cut_off = True
            self._closed = True
            self._transport.abort()
