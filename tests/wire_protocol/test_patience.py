"""Bad frames are forgiven ten times a minute; waits between attempts double, jittered, up to a cap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wire_protocol.backoff import Backoff
from wire_protocol.bad_frames import ALLOWED, WINDOW, BadFrameBudget


@given(st.lists(st.floats(0, 30), max_size=60))
def test_the_budget_is_spent_when_a_window_has_more_than_allowed(gaps: list[float]) -> None:
    now = 0.0
    times: list[float] = []
    budget = BadFrameBudget(lambda: now)
    for gap in gaps:
        now += gap
        times.append(now)
        within = [time for time in times if now - time <= WINDOW]
        assert budget.spend() == (len(within) <= ALLOWED)


@given(st.integers(0, 200), st.floats(0, 1, exclude_max=True))
def test_a_wait_is_between_floor_and_bound(failures: int, draw: float) -> None:
    backoff = Backoff(lambda: draw, base_s=0.1, cap_s=10.0, floor_s=0.02)
    for _ in range(failures):
        backoff.next_s()
    bound = backoff.bound_s()
    assert 0.02 <= backoff.next_s() <= bound <= 10.0


def test_waits_double_and_start_again_after_success() -> None:
    backoff = Backoff(lambda: 0.5, base_s=1.0, cap_s=8.0)
    assert [backoff.next_s() for _ in range(5)] == [0.5, 1.0, 2.0, 4.0, 4.0]
    backoff.reset()
    assert backoff.next_s() == 0.5
