"""When a dead worker may be started again."""

from __future__ import annotations

from lsp_server.sources.restarts import BASE_S, GIVE_UP_S, MAX_DEATHS, WINDOW_S, RestartPolicy


class FakeClock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_waits_double_and_then_it_is_left_alone() -> None:
    policy = RestartPolicy(FakeClock())
    waits = [policy.died() for _ in range(MAX_DEATHS)]
    assert waits == [BASE_S, 2 * BASE_S, 4 * BASE_S, 8 * BASE_S, GIVE_UP_S]
    assert policy.gave_up


def test_deaths_far_apart_are_each_the_first() -> None:
    clock = FakeClock()
    policy = RestartPolicy(clock)
    for _ in range(3 * MAX_DEATHS):
        assert policy.died() == BASE_S
        clock.now += WINDOW_S
    assert not policy.gave_up
