"""The worked exchange in wire_protocol/README.md is what the code sends and understands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import wire_protocol
from wire_protocol.codec import decode_from_client, decode_to_client, encode
from wire_protocol.contexts import ContextStore
from wire_protocol.frames import Complete, Tokens

README = (Path(wire_protocol.__file__).parent / "README.md").read_text(encoding="utf-8")
STEPS = [
    (who, tag, int(size), bytes.fromhex(data))
    for who, tag, size, data in re.findall(r"\*\*(\w+)\*\* · `(\w+)`, (\d+) bytes\n\n```hex\n([0-9a-f\n]+)```", README)
]


def test_the_exchange_is_there() -> None:
    assert [tag for _, tag, _, _ in STEPS] == [
        "hello", "welcome", "complete", "complete", "done", "tokens", "tokens", "done",
    ]  # fmt: skip


@pytest.mark.parametrize(("who", "tag", "size", "data"), STEPS, ids=[tag for _, tag, _, _ in STEPS])
def test_each_frame_decodes_and_encodes_to_the_same_bytes(who: str, tag: str, size: int, data: bytes) -> None:
    frame = decode_from_client(data) if who == "client" else decode_to_client(data)
    assert frame.__struct_config__.tag == tag
    assert len(data) == size
    assert encode(frame) == data


def test_the_exchange_completes_the_line() -> None:
    store = ContextStore(1_000_000)
    frames = [decode_from_client(d) if who == "client" else decode_to_client(d) for who, _, _, d in STEPS]
    contexts = [store.receive(frame) for frame in frames if isinstance(frame, Complete)]
    answer = "".join(item.text for frame in frames if isinstance(frame, Tokens) for item in frame.items)
    assert contexts[-1].typed + answer == "    return a + b"


def test_every_error_code_is_explained() -> None:
    from wire_protocol.frames import ERROR_CODES

    assert [code for code in ERROR_CODES if f"`{code}`" not in README] == []
