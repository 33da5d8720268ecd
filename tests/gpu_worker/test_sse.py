"""Server-sent events: the standard's rules, however the bytes are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_worker.engines.sse import MAX_EVENT_BYTES, SseError, SseParser

DATA = st.lists(
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=10), min_size=1, max_size=3
)
NEWLINE = st.sampled_from(["\n", "\r\n", "\r"])


def feed_cut(data: bytes, sizes: list[int]) -> list[str]:
    parser, events, at = SseParser(), [], 0
    for size in sizes:
        events += parser.feed(data[at : at + size])
        at += size
    return events + parser.feed(data[at:])


@given(st.lists(DATA, max_size=4), NEWLINE, st.lists(st.integers(0, 7), max_size=60))
def test_events_come_back_whole(events: list[list[str]], newline: str, sizes: list[int]) -> None:
    stream = "".join("".join(f"data: {line}{newline}" for line in event) + newline for event in events)
    assert feed_cut(stream.encode(), sizes) == ["\n".join(event) for event in events]


@given(st.binary(max_size=200), st.lists(st.integers(0, 9), max_size=30))
def test_any_bytes_give_events_or_a_typed_error(data: bytes, sizes: list[int]) -> None:
    try:
        events = feed_cut(data, sizes)
    except SseError:
        return
    assert all(isinstance(event, str) for event in events)


def test_comments_and_other_fields_are_skipped() -> None:
    assert SseParser().feed(b": keep-alive\nevent: x\nid: 3\ndata: a\nretry: 9\n\n") == ["a"]


def test_an_event_without_its_blank_line_is_not_given() -> None:
    assert SseParser().feed(b"data: a\n") == []


def test_only_one_space_after_the_colon_is_removed() -> None:
    assert SseParser().feed(b"data:  a\n\n") == [" a"]


def test_an_endless_line_is_refused() -> None:
    with pytest.raises(SseError, match="longer than"):
        SseParser().feed(b"data: " + b"x" * MAX_EVENT_BYTES)
