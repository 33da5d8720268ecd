"""When a worker that nobody uses leaves."""

from __future__ import annotations

import pytest

from gpu_worker.idle import IdleTimer


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_worker_that_nobody_connects_to_leaves(clock: Clock) -> None:
    timer = IdleTimer(60.0, clock)
    clock.now += 45.0
    assert timer.remaining() == 15.0
    clock.now += 20.0
    assert timer.remaining() == 0.0


def test_a_worker_in_use_stays(clock: Clock) -> None:
    timer = IdleTimer(60.0, clock)
    timer.connected()
    clock.now += 600.0
    assert timer.remaining() is None


def test_the_time_starts_again_when_the_last_connection_closes(clock: Clock) -> None:
    timer = IdleTimer(60.0, clock)
    timer.connected()
    timer.connected()
    clock.now += 500.0
    timer.disconnected()
    assert timer.remaining() is None
    timer.disconnected()
    assert timer.remaining() == 60.0


def test_without_a_time_it_never_leaves(clock: Clock) -> None:
    timer = IdleTimer(None, clock)
    clock.now += 1e9
    assert timer.remaining() is None
