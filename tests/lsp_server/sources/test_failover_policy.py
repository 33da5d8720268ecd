"""When the local model is asked: breaker, hedge delay, hedge budget."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.sources.failover_policy import (
    COOLDOWN_MAX_S,
    COOLDOWN_S,
    FAILURES_TO_OPEN,
    HEDGE_BURST,
    HEDGE_DEFAULT_S,
    HEDGE_MAX_S,
    HEDGE_MIN_S,
    HEDGE_SHARE,
    SILENCE_FACTOR,
    SILENCE_TO_OPEN_S,
    FailoverPolicy,
    HedgeBudget,
    Plan,
)
from lsp_server.sources.latency import LatencyWindow


class FakeClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def policy(clock: FakeClock, samples: list[float] | None = None) -> FailoverPolicy:
    window = LatencyWindow()
    for sample in samples or []:
        window.add(sample)
    return FailoverPolicy(clock, window)


def plan(decides: FailoverPolicy, heard_at: float | None = 100.0, *, edge: bool = True, local: bool = True) -> Plan:
    return decides.plan(edge_ready=edge, local_ready=local, heard_at=heard_at)


def test_the_edge_answers_while_it_is_well() -> None:
    assert plan(policy(FakeClock())) == "edge"


def test_without_an_edge_connection_the_local_model_is_asked_at_once() -> None:
    assert plan(policy(FakeClock()), None, edge=False) == "local"


def test_without_a_local_model_the_edge_is_asked_even_when_it_failed() -> None:
    decides = policy(FakeClock())
    for _ in range(FAILURES_TO_OPEN):
        decides.edge_failed()
    assert plan(decides, local=False) == "edge"


def test_while_both_are_starting_both_are_asked() -> None:
    assert plan(policy(FakeClock()), None, edge=False, local=False) == "both"


def test_failures_in_a_row_open_the_circuit_and_an_answer_closes_it() -> None:
    decides = policy(FakeClock())
    for _ in range(FAILURES_TO_OPEN - 1):
        decides.edge_failed()
    assert plan(decides) == "edge"
    decides.timed_out(hedged=False)
    assert plan(decides) == "local"
    decides.edge_answered()
    assert plan(decides) == "edge"


def test_failures_that_are_not_in_a_row_do_not_open_it() -> None:
    decides = policy(FakeClock())
    for _ in range(10 * FAILURES_TO_OPEN):
        decides.edge_failed()
        decides.edge_answered()
    assert not decides.edge_is_down


def test_an_edge_that_says_nothing_at_all_is_down_and_back_when_it_is_heard() -> None:
    clock = FakeClock()
    decides = policy(clock)
    plan(decides)
    decides.asked_edge()
    clock.now += SILENCE_TO_OPEN_S
    assert plan(decides, heard_at=99.0) == "local"
    clock.now += 60
    assert plan(decides, heard_at=clock.now) == "edge"


def test_an_idle_hour_is_not_silence() -> None:
    clock = FakeClock()
    decides = policy(clock)
    decides.asked_edge()
    clock.now += 3_600
    assert plan(decides, heard_at=100.1) == "edge"


def test_an_open_circuit_is_probed_ever_more_rarely_up_to_the_cap() -> None:
    clock = FakeClock()
    decides = policy(clock)
    for _ in range(FAILURES_TO_OPEN):
        decides.edge_failed()
    probes = []
    for _ in range(2_000):
        if decides.may_probe():
            probes.append(clock.now)
            decides.edge_failed()
        clock.now += 0.01
    gaps = [later - earlier for earlier, later in itertools.pairwise(probes)]
    assert probes[0] - 100.0 >= COOLDOWN_S - 0.02
    assert gaps == sorted(gaps)
    assert max(gaps) <= COOLDOWN_MAX_S + 0.02


def test_a_closed_circuit_is_not_probed() -> None:
    assert not policy(FakeClock()).may_probe()


def test_the_hedge_delay_is_a_default_while_nothing_is_known() -> None:
    assert policy(FakeClock(), [0.01] * 3).hedge_delay_s() == HEDGE_DEFAULT_S


@given(st.lists(st.floats(0, 5), max_size=200))
def test_the_hedge_delay_stays_within_its_bounds_and_below_patience(samples: list[float]) -> None:
    decides = policy(FakeClock(), samples)
    assert HEDGE_MIN_S <= decides.hedge_delay_s() <= HEDGE_MAX_S
    assert decides.patience_s() > decides.hedge_delay_s()


def test_the_hedge_delay_follows_the_p95() -> None:
    assert policy(FakeClock(), [0.2] * 60 + [0.4] * 4).hedge_delay_s() == 0.4


@given(st.integers(1, 2_000), st.lists(st.booleans(), max_size=2_000))
def test_hedges_stay_within_their_share(requests: int, wishes: list[bool]) -> None:
    budget = HedgeBudget()
    hedges = 0
    for index in range(requests):
        budget.earn()
        if index < len(wishes) and wishes[index]:
            hedges += budget.spend()
    assert hedges <= HEDGE_SHARE * requests + HEDGE_BURST


def test_a_forced_hedge_is_paid_back_by_later_ones() -> None:
    budget = HedgeBudget()
    budget.force()
    budget.force()
    for _ in range(20):
        budget.earn()
    assert not budget.spend()


def test_a_new_connection_of_an_edge_that_was_down_is_probed_at_once() -> None:
    clock = FakeClock()
    decides = policy(clock)
    plan(decides)
    for _ in range(FAILURES_TO_OPEN):
        decides.edge_failed()
    assert not decides.may_probe()
    plan(decides, None, edge=False)
    plan(decides)
    assert decides.may_probe()


def test_an_edge_that_usually_takes_longer_may_be_silent_longer() -> None:
    decides = policy(FakeClock(), [0.7] * 20)
    plan(decides)
    decides.asked_edge()
    assert decides.silent_in_s(99.0) == pytest.approx(0.7 * SILENCE_FACTOR)
