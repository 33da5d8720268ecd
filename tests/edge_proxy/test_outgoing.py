"""What leaves for a client: when, in how many frames, and up to which bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from edge_proxy.outgoing import Outgoing, message_header
from wire_protocol.codec import decode_to_client
from wire_protocol.frames import Done, Resend, TokenBatch, Tokens


class FakeTransport:
    """Remembers what is written; `unread` is how much of it waits."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.unread = 0
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def get_write_buffer_size(self) -> int:
        return self.unread

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True

    def frames(self) -> list[Any]:
        frames, data = [], b"".join(self.written)
        while data:
            start, size = (2, data[1]) if data[1] < 126 else (4, int.from_bytes(data[2:4], "big"))
            frames.append(decode_to_client(data[start : start + size]))
            data = data[start + size :]
        return frames


class FakeTurns:
    """Remembers what is to be called at the end of the turn, and what later."""

    def __init__(self) -> None:
        self.ends: list[Callable[[], None]] = []
        self.held: list[Callable[[], None]] = []

    def soon(self, flush: Callable[[], None]) -> None:
        self.ends.append(flush)

    def later(self, flush: Callable[[], None]) -> None:
        self.held.append(flush)

    def end_turn(self) -> None:
        ends, self.ends = self.ends, []
        for flush in ends:
            flush()

    def end_hold(self) -> None:
        held, self.held = self.held, []
        for flush in held:
            flush()


class Bench:
    def __init__(self) -> None:
        self.transport = FakeTransport()
        self.turns = FakeTurns()
        self.sizes: list[int] = []
        self.outgoing = Outgoing(self.transport, 1_000, self.turns, self.sizes.append)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_the_first_text_leaves_in_its_own_turn(bench: Bench) -> None:
    bench.outgoing.text(1, 0, "a", 1, now=True)
    assert bench.transport.frames() == [Tokens(items=[TokenBatch(id=1, offset=0, text="a", tokens=1)])]


def test_later_texts_of_one_screen_frame_leave_as_one(bench: Bench) -> None:
    bench.outgoing.text(1, 3, "b", 1, now=False)
    bench.turns.end_turn()
    bench.outgoing.text(2, 0, "x", 1, now=False)
    bench.outgoing.text(1, 4, "cd", 2, now=False)
    bench.turns.end_turn()
    assert bench.transport.written == []
    bench.turns.end_hold()
    (frame,) = bench.transport.frames()
    assert frame.items == [
        TokenBatch(id=1, offset=3, text="bcd", tokens=3),
        TokenBatch(id=2, offset=0, text="x", tokens=1),
    ]


def test_a_line_s_end_leaves_with_its_turn(bench: Bench) -> None:
    bench.outgoing.text(1, 3, "b", 1, now=False)
    bench.outgoing.text(1, 4, ")\n", 1, now=False)
    bench.turns.end_turn()
    assert [frame.items[0].text for frame in bench.transport.frames()] == ["b)\n"]


def test_the_end_comes_after_all_text_and_in_the_same_write(bench: Bench) -> None:
    bench.outgoing.text(1, 3, "b", 1, now=False)
    bench.outgoing.done(Done(id=1, reason="stop"))
    bench.turns.end_turn()
    assert len(bench.transport.written) == 1
    assert [type(frame) for frame in bench.transport.frames()] == [Tokens, Done]
    assert bench.sizes == [len(bench.transport.written[0])]


def test_another_frame_comes_after_what_waits(bench: Bench) -> None:
    bench.outgoing.text(1, 3, "b", 1, now=False)
    bench.outgoing.send(Resend(id=2, doc="d"))
    assert [type(frame) for frame in bench.transport.frames()] == [Tokens, Resend]


def test_one_call_is_asked_for_however_much_comes(bench: Bench) -> None:
    for offset in range(3):
        bench.outgoing.text(1, offset, "b", 1, now=False)
    for id in range(3):
        bench.outgoing.done(Done(id=id, reason="stop"))
    assert (len(bench.turns.held), len(bench.turns.ends)) == (1, 1)


def test_a_hold_that_ends_after_its_text_has_left_writes_nothing(bench: Bench) -> None:
    bench.outgoing.text(1, 3, "b", 1, now=False)
    bench.outgoing.done(Done(id=1, reason="stop"))
    bench.turns.end_turn()
    bench.turns.end_hold()
    assert len(bench.transport.written) == 1


def test_a_reader_that_leaves_too_much_unread_is_cut_off(bench: Bench) -> None:
    bench.transport.unread = 1_001
    bench.outgoing.send(Resend(id=2, doc="d"))
    assert (bench.transport.aborted, bench.outgoing.cut_off) == (True, True)
    bench.outgoing.send(Resend(id=3, doc="d"))
    assert len(bench.transport.written) == 1


def test_nothing_is_written_after_the_close(bench: Bench) -> None:
    bench.outgoing.text(1, 3, "b", 1, now=False)
    bench.outgoing.close()
    assert len(bench.transport.written) == 1
    bench.outgoing.done(Done(id=1, reason="stop"))
    bench.outgoing.text(2, 3, "b", 1, now=False)
    bench.turns.end_turn()
    bench.turns.end_hold()
    assert len(bench.transport.written) == 1


@pytest.mark.parametrize(
    ("length", "header"),
    [
        (0, "8200"),
        (125, "827d"),
        (126, "827e007e"),
        (65_535, "827effff"),
        (65_536, "827f0000000000010000"),
    ],
)
def test_headers_are_those_of_rfc_6455(length: int, header: str) -> None:
    assert message_header(length).hex() == header
