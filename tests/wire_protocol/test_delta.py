"""A delta gives exactly the context its sender has, or says that it cannot."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given

from wire_protocol.codec import ProtocolError, encode
from wire_protocol.delta import apply, checksum, diff
from wire_protocol.frames import Complete, Context, Splice
from wire_strategies import CONTEXTS


@given(CONTEXTS, CONTEXTS)
def test_a_delta_turns_the_old_context_into_the_new(old: Context, new: Context) -> None:
    assert apply(old, diff(old, new)) == new


@given(CONTEXTS, CONTEXTS, CONTEXTS)
def test_a_delta_on_another_context_is_refused_or_right(old: Context, new: Context, other: Context) -> None:
    try:
        result = apply(other, diff(old, new))
    except ProtocolError as error:
        assert error.code == "checksum"
    else:
        assert result == new


@given(CONTEXTS, CONTEXTS)
def test_different_contexts_have_different_checksums(one: Context, other: Context) -> None:
    assert (checksum(one) == checksum(other)) == (one == other)


def test_one_typed_character_costs_tens_of_bytes() -> None:
    old = Context(before="x = 1\n" * 1_000, typed="retur", after="y = 2\n" * 300, path="a.py", language="python")
    new = msgspec.structs.replace(old, typed="return")
    frame = Complete(id=9_000, doc="d" * 32, rev=12, base_rev=11, context=diff(old, new), supersedes=[8_999])
    assert len(encode(frame)) < 180
    assert diff(old, new).typed == Splice(start=5, delete=0, insert="n")


def test_a_splice_beyond_the_text_is_a_checksum_error() -> None:
    delta = diff(Context(typed="abcdef"), Context(typed="abcde"))
    with pytest.raises(ProtocolError, match="part of 2 code points") as caught:
        apply(Context(typed="ab"), delta)
    assert caught.value.code == "checksum"
