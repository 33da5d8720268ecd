"""Which of several edges is used, and that none flaps."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.sources.edge_choice import AVOID_MAX_S, AVOID_S, STAY_S, WINS_TO_MOVE, EdgeChoice

NEAR, FAR, THIRD = "ws://near", "ws://far", "ws://third"


class FakeClock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def measure(choice: EdgeChoice, times: int, **ms: float) -> None:
    for _ in range(times):
        for name, value in ms.items():
            choice.measured(f"ws://{name}", value / 1_000)


def test_before_anything_was_measured_the_persons_order_decides(clock: FakeClock) -> None:
    assert EdgeChoice([FAR, NEAR], clock).order() == [FAR, NEAR]


def test_the_nearest_is_tried_first_once_measured(clock: FakeClock) -> None:
    choice = EdgeChoice([FAR, THIRD, NEAR], clock)
    measure(choice, 1, far=90, near=10)
    assert choice.order() == [NEAR, FAR, THIRD]


def test_a_clearly_nearer_edge_is_moved_to_after_three_measurements(clock: FakeClock) -> None:
    choice = EdgeChoice([FAR, NEAR], clock)
    choice.uses(FAR)
    measure(choice, WINS_TO_MOVE - 1, far=90, near=10)
    assert choice.move_to() is None
    measure(choice, 1, far=90, near=10)
    assert choice.move_to() == NEAR


@pytest.mark.parametrize(("far", "near"), [(100, 85), (15, 8)], ids=["within a fifth", "within 10 ms"])
def test_an_edge_that_is_a_little_nearer_is_not_worth_moving(clock: FakeClock, far: float, near: float) -> None:
    choice = EdgeChoice([FAR, NEAR], clock)
    choice.uses(FAR)
    measure(choice, 50, far=far, near=near)
    assert choice.move_to() is None


def test_after_a_move_it_stays_for_a_while_whatever_is_measured(clock: FakeClock) -> None:
    choice = EdgeChoice([FAR, NEAR], clock)
    choice.uses(FAR)
    measure(choice, WINS_TO_MOVE, far=90, near=10)
    choice.prefer(NEAR)
    choice.uses(NEAR)
    measure(choice, 20, far=10, near=200)
    assert choice.move_to() is None
    clock.now += STAY_S
    assert choice.move_to() == FAR


def test_an_edge_that_failed_goes_to_the_end_of_the_line_and_comes_back(clock: FakeClock) -> None:
    choice = EdgeChoice([NEAR, FAR], clock)
    choice.uses(NEAR)
    choice.failed(NEAR)
    assert choice.order() == [FAR, NEAR]
    clock.now += AVOID_S
    assert choice.order() == [NEAR, FAR]


def test_an_edge_that_keeps_failing_is_avoided_longer_each_time_up_to_a_bound(clock: FakeClock) -> None:
    choice = EdgeChoice([NEAR, FAR], clock)
    waits = []
    for _ in range(10):
        choice.failed(NEAR)
        began = clock.now
        while NEAR not in choice.others():
            clock.now += AVOID_S
        waits.append(clock.now - began)
    assert waits[:3] == [AVOID_S, 2 * AVOID_S, 4 * AVOID_S]
    assert max(waits) == AVOID_MAX_S


def test_another_network_voids_everything_that_was_learnt(clock: FakeClock) -> None:
    choice = EdgeChoice([NEAR, FAR], clock)
    choice.uses(FAR)
    measure(choice, 5, far=90, near=10)
    choice.failed(FAR)
    choice.forget()
    assert choice.order() == [FAR, NEAR]
    assert choice.round_trip_s(NEAR) is None


@given(
    st.lists(st.tuples(st.floats(1, 400), st.floats(1, 400), st.floats(0, 90)), max_size=200),
)
def test_whatever_is_measured_moves_are_far_apart(steps: list[tuple[float, float, float]]) -> None:
    clock = FakeClock()
    choice = EdgeChoice([NEAR, FAR], clock)
    choice.uses(NEAR)
    moves: list[float] = []
    for near, far, passed in steps:
        clock.now += passed
        measure(choice, 1, near=near, far=far)
        target = choice.move_to()
        if target is not None:
            assert target != choice.current
            choice.prefer(target)
            choice.uses(target)
            moves.append(clock.now)
    assert all(later - earlier >= STAY_S for earlier, later in itertools.pairwise(moves))


@given(st.lists(st.floats(-9.9, 9.9), min_size=1, max_size=100))
def test_noise_around_equal_round_trips_moves_nobody(noise: list[float]) -> None:
    choice = EdgeChoice([NEAR, FAR], FakeClock())
    choice.uses(NEAR)
    for jitter in noise:
        measure(choice, 1, near=40, far=40 + jitter)
        assert choice.move_to() is None
