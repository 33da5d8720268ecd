"""The frames that leave for one client: later text coalesced, bytes bounded, a slow reader cut off.

An answer's first text leaves in the turn it came in, with no task and no wait. Later text waits up to one screen frame
(`flushing`) for more of it, as it cannot be seen sooner; a line's end, where a client may find the suggestion whole,
and the answer's end leave with the turn.

Writes WebSocket messages straight to the connection's transport. Server messages are one header and the payload
(RFC 6455, section 5.2: not masked; no compression was agreed), each written whole, so they mix freely with the pings
and closes that aiohttp writes. That keeps a write synchronous.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, Protocol

from edge_proxy.flushing import Flush
from wire_protocol.codec import encode, encode_tokens
from wire_protocol.frames import Done, ToClient

_BINARY_FINAL: Final = 0x82
_SHORT: Final = 126
_MEDIUM: Final = 1 << 16
_SHORT_HEADERS: Final = tuple(bytes((_BINARY_FINAL, length)) for length in range(_SHORT))


class Transport(Protocol):
    """The part of asyncio.Transport that is needed."""

    def write(self, data: bytes) -> None: ...
    def get_write_buffer_size(self) -> int: ...
    def is_closing(self) -> bool: ...
    def abort(self) -> None: ...


def message_header(length: int) -> bytes:
    """The header of an unmasked, final binary WebSocket message of `length` bytes."""
    if length < _SHORT:
        return _SHORT_HEADERS[length]
    if length < _MEDIUM:
        return struct.pack("!BBH", _BINARY_FINAL, 126, length)
    return struct.pack("!BBQ", _BINARY_FINAL, 127, length)


def message(payload: bytes) -> bytes:
    """`payload` as a WebSocket message."""
    return message_header(len(payload)) + payload


class Turns(Protocol):
    """When to write: `flushing.Flusher`."""

    def soon(self, flush: Flush) -> None: ...
    def later(self, flush: Flush) -> None: ...


class Outgoing:
    """`max_bytes` bounds what waits in this process for the client to read; beyond it the connection is aborted."""

    __slots__ = (
        "_closed",
        "_ends",
        "_later",
        "_max_bytes",
        "_pending",
        "_sent",
        "_soon",
        "_transport",
        "_turns",
        "_wrap",
        "cut_off",
    )

    def __init__(
        self,
        transport: Transport,
        max_bytes: int,
        turns: Turns,
        sent: Callable[[int], None],
        wrap: Callable[[bytes], bytes] = message,
    ) -> None:
        """`turns` calls back when it is time to write; `sent` is told the size of every message, in bytes.

        `wrap` makes of a frame what is written for it, whole: a WebSocket message, or what else carries the session.
        """
        self._transport = transport
        self._max_bytes = max_bytes
        self._turns = turns
        self._sent = sent
        self._wrap = wrap
        self._pending: dict[int, tuple[int, int, str, int]] = {}
        self._ends: list[Done] = []
        self._soon = False
        self._later = False
        self._closed = False
        self.cut_off = False
        """Whether the client was cut off because it read too slowly."""

    def text(self, id: int, offset: int, text: str, tokens: int, *, now: bool) -> None:
        """More of answer `id`: `now`, together with what already waits, or soon."""
        pending = self._pending.get(id)
        if pending is None:
            self._pending[id] = (id, offset, text, tokens)
        else:
            self._pending[id] = (id, pending[1], pending[2] + text, pending[3] + tokens)
        if now:
            self.flush()
        elif "\n" in text:
            self._flush_soon()
        elif not (self._later or self._soon or self._closed):
            self._later = True
            self._turns.later(self._end_hold)

    def done(self, done: Done) -> None:
        """The end of an answer, after all its text."""
        self._ends.append(done)
        self._flush_soon()

    def send(self, frame: ToClient) -> None:
        """Any other frame, after what already waits."""
        self.flush()
        self._write(self._wrap(encode(frame)))

    def flush(self) -> None:
        """Write what waits: one `tokens`, then each `done`."""
        if self._pending:
            data = self._wrap(encode_tokens(list(self._pending.values())))
            self._pending.clear()
            if self._ends:
                data += self._wrapped_ends()
            self._write(data)
        elif self._ends:
            self._write(self._wrapped_ends())

    def close(self) -> None:
        """Write what waits, and nothing from here on."""
        self.flush()
        self._closed = True

    def _wrapped_ends(self) -> bytes:
        ends, self._ends = self._ends, []
        return b"".join([self._wrap(encode(end)) for end in ends])

    def _flush_soon(self) -> None:
        if not (self._soon or self._closed):
            self._soon = True
            self._turns.soon(self._end_turn)

    def _end_turn(self) -> None:
        self._soon = False
        self.flush()

    def _end_hold(self) -> None:
        self._later = False
        self.flush()

    def _write(self, data: bytes) -> None:
        """Whole messages, all in one write: it costs more than all else here."""
        transport = self._transport
        if self._closed or transport.is_closing():
            return
        transport.write(data)
        self._sent(len(data))
        if transport.get_write_buffer_size() > self._max_bytes:
            self.cut_off = True
            self._closed = True
            transport.abort()
