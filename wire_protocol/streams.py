"""A session over plain HTTP: its paths, and how frames are laid in the body of a POST; pure."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

from wire_protocol.addresses import SESSION_PATH

STREAM_PATH: Final = f"{SESSION_PATH}/stream"
"""POST `hello` here for a stream of server-sent events, and frames to this path, a slash and the stream's name."""
STREAM_HEADER: Final = "Foretype-Stream"
"""Names the stream in the answer; a secret between the two sides."""

_LENGTH: Final = struct.Struct("!I")


class TooLongError(ValueError):
    """A body that ends inside a frame; the text is a sentence."""


def join(frames: Iterable[bytes]) -> bytes:
    """The body with `frames`, each after its length as 4 bytes big endian."""
    return b"".join(_LENGTH.pack(len(frame)) + frame for frame in frames)


def split(body: bytes) -> list[bytes]:
    """The frames in `body`. Raises TooLongError if one is longer than what is there."""
    frames = []
    at = 0
    while at < len(body):
        start = at + _LENGTH.size
        if start > len(body):
            raise TooLongError("The body ends inside the length of a frame.")
        at = start + _LENGTH.unpack_from(body, start - _LENGTH.size)[0]
        if at > len(body):
            raise TooLongError("The body ends inside a frame.")
        frames.append(body[start:at])
    return frames
