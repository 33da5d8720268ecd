"""Every frame survives the trip; no bytes do worse than a typed error."""

from __future__ import annotations

import tracemalloc
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire_protocol import codec, frames
from wire_protocol.codec import ProtocolError, encode, negotiate
from wire_strategies import ANY_FRAME, FRAME_TYPES, of_frame

DECODERS = {
    frames.FromClient: codec.decode_from_client,
    frames.ToClient: codec.decode_to_client,
    frames.FromProxy: codec.decode_from_proxy,
    frames.ToProxy: codec.decode_to_proxy,
}


def decoder_of(frame: type) -> Any:
    return next(decode for accepts, decode in DECODERS.items() if frame in accepts.__args__)


@pytest.mark.parametrize("frame", FRAME_TYPES, ids=lambda frame: frame.__name__)
def test_every_frame_type_is_accepted_by_some_side(frame: type) -> None:
    assert any(frame in accepts.__args__ for accepts in DECODERS)


@pytest.mark.parametrize("frame", FRAME_TYPES, ids=lambda frame: frame.__name__)
@given(data=st.data())
def test_a_frame_comes_back_as_it_went(frame: type, data: st.DataObject) -> None:
    sent = data.draw(of_frame(frame))
    assert decoder_of(frame)(encode(sent)) == sent


def outcome(decode: Any, data: bytes) -> object:
    try:
        return decode(data)
    except ProtocolError as error:
        assert error.code in frames.ERROR_CODES
        assert error.message
        return codec.decode_to_client(encode(error.to_frame()))  # the error itself must travel


@pytest.mark.parametrize("decode", DECODERS.values(), ids=lambda decode: decode.__name__)
@given(data=st.binary(max_size=300))
def test_any_bytes_give_a_frame_or_a_typed_error(decode: Any, data: bytes) -> None:
    assert isinstance(outcome(decode, data), frames.Frame)


MESSAGEPACK_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
TAGS = st.sampled_from([str(frame.__struct_config__.tag) for frame in FRAME_TYPES])


@given(st.dictionaries(st.text(max_size=8), MESSAGEPACK_VALUES), TAGS)
def test_a_known_type_with_any_fields_gives_a_frame_or_a_typed_error(fields: dict[str, Any], tag: str) -> None:
    data = msgpack.packb({**fields, "type": tag})
    for decode in DECODERS.values():
        assert isinstance(outcome(decode, data), frames.Frame)


@given(ANY_FRAME, st.data())
def test_a_damaged_frame_gives_a_frame_or_a_typed_error(frame: Any, data: st.DataObject) -> None:
    whole = bytearray(encode(frame))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    for decode in DECODERS.values():
        assert isinstance(outcome(decode, bytes(whole)), frames.Frame)
        assert isinstance(outcome(decode, bytes(whole[:cut])), frames.Frame)


@given(ANY_FRAME, st.text(min_size=20, max_size=30), MESSAGEPACK_VALUES)
def test_an_unknown_field_is_ignored(frame: Any, name: str, value: Any) -> None:
    fields = msgpack.unpackb(encode(frame))
    later = msgpack.packb({**fields, name: value})
    assert decoder_of(type(frame))(later) == frame


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "malformed"),
        (b"\xc1", "malformed"),
        (b"\x93\x01\x02\x03", "malformed"),
        (msgpack.packb({"id": 1}), "malformed"),
        (msgpack.packb({"type": 7}), "malformed"),
        (msgpack.packb({"type": "hello"}) + b"\x00", "malformed"),
        (msgpack.packb({1: "hello", "type": "hello"}), "malformed"),
        (msgpack.packb({"type": "hello", "token": msgpack.Timestamp(0)}), "malformed"),
        (msgpack.packb({"type": "teleport"}), "unknown_type"),
        (msgpack.packb({"type": "welcome", "session": "s"}), "unexpected"),
        (msgpack.packb({"type": "cancel"}), "invalid"),
        (msgpack.packb({"type": "cancel", "ids": ["1"]}), "invalid"),
        (msgpack.packb({"type": "cancel", "ids": [-1]}), "invalid"),
        (msgpack.packb({"type": "cancel", "ids": list(range(frames.MAX_IDS + 1))}), "invalid"),
        (msgpack.packb({"type": "hello", "token": "x" * (frames.MAX_TOKEN_CHARS + 1)}), "invalid"),
    ],
)
def test_each_fault_has_its_code(data: bytes, code: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        codec.decode_from_client(data)
    assert caught.value.code == code


def test_an_error_names_the_request_it_is_about() -> None:
    with pytest.raises(ProtocolError) as caught:
        codec.decode_from_client(msgpack.packb({"type": "complete", "id": 41, "doc": 3}))
    assert caught.value.id == 41


def test_a_frame_over_the_limit_is_refused_unread() -> None:
    with pytest.raises(ProtocolError) as caught:
        codec.decode_from_client(b"\x00" * 101, 100)
    assert caught.value.code == "too_large"


def test_a_checksum_is_bytes_and_never_text() -> None:
    delta = {"form": "delta", "checksum": b"\x01\x02\x03\x04\x05\x06\x07\xff"}
    frame = {"type": "complete", "id": 1, "doc": "d", "rev": 2, "base_rev": 1, "context": delta}
    assert codec.decode_from_client(msgpack.packb(frame)).context.checksum == delta["checksum"]
    as_text = {**frame, "context": {**delta, "checksum": "AQIDBAUGB/8="}}
    with pytest.raises(ProtocolError) as caught:
        codec.decode_from_client(msgpack.packb(as_text))
    assert (caught.value.code, caught.value.id) == ("invalid", 1)


@pytest.mark.parametrize("field", ["ids", "unknown"])
def test_an_array_that_promises_more_than_there_is_costs_no_memory(field: str) -> None:
    promise = msgpack.packb({"type": "cancel", "ids": [1]})[1:] + msgpack.packb(field) + b"\xdd\xff\xff\xff\xff"
    tracemalloc.start()
    with pytest.raises(ProtocolError):
        codec.decode_from_client(b"\x83" + promise)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_048_576


def test_nested_headers_that_promise_much_cost_little_memory() -> None:
    promise = b"\xdc" + (1_440).to_bytes(2, "big")
    tracemalloc.start()
    with pytest.raises(ProtocolError):
        codec.decode_from_client(promise * 300_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 * 1_048_576


def test_the_versions_meet_at_the_highest_common_one() -> None:
    assert negotiate(frames.Hello(version_min=1, version_max=9)) == frames.VERSION_MAX


def test_no_common_version_is_an_error_that_says_both() -> None:
    with pytest.raises(ProtocolError, match="versions 1 to 1") as caught:
        negotiate(frames.Hello(version_min=7, version_max=9))
    assert caught.value.code == "version"
