"""The encoder writes what the msgpack package would write."""

from __future__ import annotations

from typing import Any

import msgpack
import msgspec
from hypothesis import given
from hypothesis import strategies as st

from wire_protocol.codec import encode, encode_tokens
from wire_protocol.frames import AnyFrame, TokenBatch, Tokens
from wire_strategies import ANY_FRAME, of_frame


def _fields(frame: AnyFrame) -> Any:
    return msgspec.to_builtins(frame, builtin_types=(bytes,))


@given(ANY_FRAME)
def test_frames_have_the_bytes_that_msgpack_gives_them(frame: AnyFrame) -> None:
    assert encode(frame) == msgpack.packb(frame, default=_fields)


@given(st.lists(of_frame(TokenBatch), max_size=4))
def test_tokens_have_the_same_bytes_without_their_structs(batches: list[TokenBatch]) -> None:
    items = [(batch.id, batch.offset, batch.text, batch.tokens) for batch in batches]
    assert encode_tokens(items) == encode(Tokens(items=batches))
