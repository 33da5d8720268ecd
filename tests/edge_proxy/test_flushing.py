"""When sessions are told to write: with the turn, or a screen's frame later, by one call of the event loop for all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edge_proxy.flushing import HOLD_SECONDS, SLACK_SECONDS, Flusher


class FakeLoop:
    """Keeps what is to be called, soon or at a time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.soon: list[Callable[[], None]] = []
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def call_soon(self, call: Callable[[], None]) -> None:
        self.soon.append(call)

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        self.timers.append((self.now + seconds, call))

    def end_turn(self) -> None:
        calls, self.soon = self.soon, []
        for call in calls:
            call()

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        due = [timer for timer in self.timers if timer[0] <= self.now]
        self.timers = [timer for timer in self.timers if timer[0] > self.now]
        for _, call in due:
            call()


@pytest.fixture
def loop() -> FakeLoop:
    return FakeLoop()


@pytest.fixture
def flusher(loop: FakeLoop) -> Flusher:
    return Flusher(loop.call_soon, loop.call_later, lambda: loop.now)


def test_all_of_a_turn_are_called_in_order_by_one_call(flusher: Flusher, loop: FakeLoop) -> None:
    called: list[int] = []
    for number in range(3):
        flusher.soon(lambda number=number: called.append(number))
    assert len(loop.soon) == 1
    loop.end_turn()
    assert called == [0, 1, 2]


def test_what_a_call_asks_for_comes_with_the_next_turn(flusher: Flusher, loop: FakeLoop) -> None:
    called: list[str] = []
    flusher.soon(lambda: flusher.soon(lambda: called.append("second")))
    loop.end_turn()
    assert called == []
    loop.end_turn()
    assert called == ["second"]


def test_one_that_fails_does_not_keep_the_others_back(
    flusher: Flusher, loop: FakeLoop, caplog: pytest.LogCaptureFixture
) -> None:
    called: list[int] = []
    flusher.soon(lambda: called.append(1 // 0))
    flusher.soon(lambda: called.append(2))
    loop.end_turn()
    assert called == [2]
    assert "could not be written" in caplog.text


def test_what_is_held_is_called_a_screen_frame_later_at_most(flusher: Flusher, loop: FakeLoop) -> None:
    called: list[float] = []
    flusher.later(lambda: called.append(loop.now))
    loop.sleep(HOLD_SECONDS - 0.001)
    assert called == []
    loop.sleep(0.001)
    assert len(called) == 1


def test_what_is_due_a_little_later_is_taken_along(flusher: Flusher, loop: FakeLoop) -> None:
    called: list[str] = []
    flusher.later(lambda: called.append("first"))
    loop.sleep(SLACK_SECONDS / 2)
    flusher.later(lambda: called.append("second"))
    loop.sleep(HOLD_SECONDS - SLACK_SECONDS / 2)
    assert called == ["first", "second"]
    assert loop.timers == []


def test_the_timer_goes_on_to_what_is_due_next(flusher: Flusher, loop: FakeLoop) -> None:
    called: list[str] = []
    flusher.later(lambda: called.append("first"))
    loop.sleep(HOLD_SECONDS / 2)
    flusher.later(lambda: called.append("second"))
    loop.sleep(HOLD_SECONDS / 2)
    assert called == ["first"]
    assert len(loop.timers) == 1
    loop.sleep(HOLD_SECONDS / 2)
    assert called == ["first", "second"]
