"""The encoder writes what the msgpack package would write."""

from __future__ import annotations

import msgpack
import msgspec
from hypothesis import given

from wire_protocol.codec import encode
from wire_protocol.frames import AnyFrame
from wire_strategies import ANY_FRAME


@given(ANY_FRAME)
def test_frames_have_the_bytes_that_msgpack_gives_them(frame: AnyFrame) -> None:
    assert encode(frame) == msgpack.packb(frame, default=msgspec.to_builtins)
