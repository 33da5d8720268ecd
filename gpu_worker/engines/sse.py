"""Server-sent events, strictly: bytes in any pieces to the `data` of each event; pure.

Follows the HTML standard's "Interpreting an event stream" (line ends \\n, \\r\\n or \\r; several data lines are joined
by \\n; comments and other fields are skipped), with bounds on the length of a line and of an event.
"""

from __future__ import annotations

MAX_EVENT_BYTES = 1_048_576
"""Longest event: a chunk of a completion is some hundred bytes; more than this is not a completion."""
_BOM = b"\xef\xbb\xbf"


class SseError(ValueError):
    """The stream is not server-sent events; `str()` says what is wrong with it."""


class SseParser:
    """Feed it bytes; it gives the data of the events they complete."""

    def __init__(self) -> None:
        self._pending = b""
        self._data: list[bytes] = []
        self._size = 0
        self._started = False
        self._skip_newline = False

    def feed(self, piece: bytes) -> list[str]:
        """The data of the events that `piece` completes. Raises SseError."""
        events: list[str] = []
        for line in self._lines(piece):
            if line:
                self._field(line)
            elif self._data:
                events.append(self._text(b"\n".join(self._data)))
                self._data, self._size = [], 0
        return events

    def _lines(self, piece: bytes) -> list[bytes]:
        if not piece:
            return []
        if self._skip_newline:
            self._skip_newline = False
            piece = piece.removeprefix(b"\n")
        buffer = self._pending + piece
        self._skip_newline = buffer.endswith(b"\r")
        lines = buffer.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._pending = lines.pop()
        if len(self._pending) > MAX_EVENT_BYTES:
            raise SseError(f"a line is longer than {MAX_EVENT_BYTES} bytes")
        if lines and not self._started:
            self._started = True
            lines[0] = lines[0].removeprefix(_BOM)
        return lines

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name != b"data":
            return
        value = value.removeprefix(b" ")
        self._size += len(value) + 1
        if self._size > MAX_EVENT_BYTES:
            raise SseError(f"an event is longer than {MAX_EVENT_BYTES} bytes")
        self._data.append(value)

    @staticmethod
    def _text(data: bytes) -> str:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise SseError(f"an event is not UTF-8: {error.reason}") from None
