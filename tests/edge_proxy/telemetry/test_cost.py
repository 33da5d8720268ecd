"""What generations cost, against figures worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.telemetry.cost import WorkerCost, per_thousand
from edge_proxy.telemetry.settings import CostSettings

USD_PER_HOUR = 3.6
"""A thousandth of a dollar a second: the figures below can be checked in the head."""


def test_one_generation_alone_costs_all_that_its_worker_does() -> None:
    cost = WorkerCost(USD_PER_HOUR)
    cost.connected(100.0)
    cost.began(1, 100.0)
    assert cost.ended(1, 102.0) == pytest.approx(0.002)


def test_a_fixed_trace_costs_what_was_worked_out_by_hand() -> None:
    """
    second      0   1   2   3   4   5   6
    a           |-----------|
    b               |---------------|
    c                   |---|
    running       1   2   3   2→1   1   0     (c and a end together at 3)

    Each second costs 0.001, shared by who runs in it:
    a: 1 + 1/2 + 1/3,   b: 1/2 + 1/3 + 1 + 1,   c: 1/3
    """
    cost = WorkerCost(USD_PER_HOUR)
    cost.connected(0.0)
    cost.began(1, 0.0)
    cost.began(2, 1.0)
    cost.began(3, 2.0)
    spent = {3: cost.ended(3, 3.0), 1: cost.ended(1, 3.0), 2: cost.ended(2, 5.0)}
    assert spent[1] == pytest.approx(0.001 * (1 + 1 / 2 + 1 / 3))
    assert spent[2] == pytest.approx(0.001 * (1 / 2 + 1 / 3 + 1 + 1))
    assert spent[3] == pytest.approx(0.001 * (1 / 3))
    assert sum(spent.values()) == pytest.approx(0.005)
    assert cost.total(6.0) == pytest.approx(0.006)
    assert per_thousand(cost.total(6.0), 3) == pytest.approx(2.0)


def test_an_idle_worker_costs_and_a_lost_one_does_not() -> None:
    cost = WorkerCost(USD_PER_HOUR)
    cost.connected(0.0)
    cost.began(1, 8.0)
    assert cost.disconnected(10.0) == pytest.approx(0.002)
    assert cost.total(500.0) == pytest.approx(0.01)
    cost.connected(500.0)
    assert cost.total(501.0) == pytest.approx(0.011)


def test_a_new_price_counts_from_then_on() -> None:
    cost = WorkerCost(USD_PER_HOUR)
    cost.connected(0.0)
    cost.began(1, 0.0)
    cost.reprice(2 * USD_PER_HOUR, 1.0)
    assert cost.ended(1, 2.0) == pytest.approx(0.003)
    assert cost.total(2.0) == pytest.approx(0.003)


def test_what_never_began_costs_nothing() -> None:
    assert WorkerCost(USD_PER_HOUR).ended(7, 1.0) == 0.0


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0.01, 2.0)), min_size=1, max_size=60))
def test_all_generations_together_cost_the_time_that_any_ran(steps: list[tuple[int, float]]) -> None:
    """Each step begins generation `id`, or ends it if it runs, and then time passes."""
    cost = WorkerCost(USD_PER_HOUR)
    cost.connected(0.0)
    now, busy, charged, running = 0.0, 0.0, 0.0, set[int]()
    for id, pause in steps:
        if id in running:
            charged += cost.ended(id, now)
            running.remove(id)
        else:
            cost.began(id, now)
            running.add(id)
        busy += pause if running else 0.0
        now += pause
    charged += sum(cost.ended(id, now) for id in running)
    assert charged == pytest.approx(busy * 0.001)


def test_a_worker_has_its_own_price_or_the_common_one() -> None:
    settings = CostSettings(usd_per_hour=2.0, workers={"ws://a:1": 9.0})
    assert (settings.of("ws://a:1"), settings.of("ws://b:1")) == (9.0, 2.0)
