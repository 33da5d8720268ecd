"""The policies together under load, in simulated time (benchmarks/edge/simulation.py runs the real classes)."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.edge.overload import OVERLOAD_TIMINGS, overload
from benchmarks.edge.simulation import Simulation
from edge_proxy.prediction import Predictor
from edge_proxy.waiting import FairLine

SECONDS = 4.0


def simulated(weights: dict[str, float] | None = None) -> Simulation:
    line = FairLine(lambda tenant: (weights or {}).get(tenant, 1.0))
    return Simulation(OVERLOAD_TIMINGS, line, Predictor())


def test_at_twice_the_load_goodput_stays_where_first_come_first_served_collapses() -> None:
    ours = overload("newest first", first_come=False, factor=2.0, seconds=SECONDS)
    theirs = overload("first come", first_come=True, factor=2.0, seconds=SECONDS)
    assert ours.goodput > 0.9
    assert theirs.goodput < 0.3


def test_hopeless_requests_are_told_long_before_their_deadline() -> None:
    ours = overload("newest first", first_come=False, factor=2.0, seconds=SECONDS)
    assert ours.shed > 500
    assert ours.shed_after < 0.1


def test_a_shed_comes_within_5_ms_of_the_miss_becoming_predictable() -> None:
    ours = overload("newest first", first_come=False, factor=2.0, seconds=1.0, watch=True)
    told = ours.told_after
    assert len(told) > 100
    assert told[int(0.99 * len(told))] < 0.005


@pytest.mark.parametrize("factor", [0.5, 0.8])
def test_below_capacity_nothing_is_shed(factor: float) -> None:
    assert overload("newest first", first_come=False, factor=factor, seconds=SECONDS).shed == 0


def test_a_flooding_tenant_costs_a_calm_one_nothing() -> None:
    simulation = simulated()
    capacity = OVERLOAD_TIMINGS.capacity
    simulation.poisson(3.0 * capacity, SECONDS, tenant="flood")
    simulation.poisson(0.25 * capacity, SECONDS, tenant="calm")
    simulation.time.run(SECONDS + 1.0)
    calm = [fate for fate in simulation.fates if fate.tenant == "calm"]
    answered = [fate for fate in calm if fate.reason == "stop" and (fate.ended or 0.0) - fate.arrived < 0.2]
    assert len(answered) / len(calm) > 0.95


def test_weights_divide_the_workers_under_overload() -> None:
    simulation = simulated({"gold": 3.0})
    for tenant in ("gold", "plain"):
        simulation.poisson(2.0 * OVERLOAD_TIMINGS.capacity, SECONDS, tenant=tenant)
    simulation.time.run(SECONDS)
    served = Counter(fate.tenant for fate in simulation.fates if fate.reason == "stop")
    # Not quite 3: whenever nothing of the one waits, the other is served.
    assert served["gold"] / served["plain"] == pytest.approx(3.0, rel=0.25)


def test_prefetch_gives_way_before_its_first_byte() -> None:
    """Workers full of prefetches: what somebody asks for starts at once all the same."""
    simulation = simulated()
    simulation.poisson(3.0 * OVERLOAD_TIMINGS.capacity, SECONDS, kind="prefetch")
    simulation.poisson(0.3 * OVERLOAD_TIMINGS.capacity, SECONDS, kind="automatic")
    simulation.time.run(SECONDS + 1.0)
    waited = sorted(
        (fate.first or 9.0) - fate.arrived - OVERLOAD_TIMINGS.first
        for fate in simulation.fates
        if fate.kind == "automatic"
    )
    assert waited[int(0.95 * len(waited))] < 0.001
    assert waited[int(0.99 * len(waited))] < 0.02  # behind prefetches that had begun to speak
