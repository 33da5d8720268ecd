"""How capacity is divided among connected proxies."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gpu_worker.credits import CreditLedger


class LedgerMachine(RuleBasedStateMachine):
    """Connections that obey their credits, in any order of events."""

    def __init__(self) -> None:
        super().__init__()
        self.capacity = 4
        self.ledger = CreditLedger(self.capacity)
        self.balances: dict[int, int] = {}
        self.running: dict[int, int] = {}
        self.names = iter(range(10_000))

    def settle(self) -> None:
        for name, grant in self.ledger.rebalance().items():
            assert grant != 0
            self.balances[name] += grant

    @precondition(lambda self: len(self.balances) < 6)
    @rule()
    def join(self) -> None:
        name = next(self.names)
        self.balances[name] = self.running[name] = 0
        self.ledger.join(name)
        self.settle()

    @precondition(lambda self: self.balances)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.balances)))
        del self.balances[name], self.running[name]
        self.ledger.leave(name)
        self.settle()

    @precondition(lambda self: any(balance > 0 for balance in self.balances.values()))
    @rule(data=st.data())
    def submit(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([name for name, balance in self.balances.items() if balance > 0]))
        self.balances[name] -= 1
        self.running[name] += 1
        assert self.ledger.spend(name, self.capacity)

    @precondition(lambda self: any(self.running.values()))
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([name for name, running in self.running.items() if running]))
        self.running[name] -= 1
        self.ledger.finish(name)
        self.settle()

    @rule(capacity=st.integers(0, 9))
    def resize(self, capacity: int) -> None:
        self.capacity = capacity
        self.ledger.resize(capacity)
        self.settle()

    @invariant()
    def both_sides_count_the_same(self) -> None:
        assert {name: self.ledger.balance(name) for name in self.balances} == self.balances
        assert {name: self.ledger.running(name) for name in self.running} == self.running

    @invariant()
    def shares_are_fair_and_together_the_capacity(self) -> None:
        shares = [self.balances[name] + self.running[name] for name in self.balances]
        if not shares:
            return
        assert max(shares) - min(shares) <= 1
        capacity = self.ledger.capacity
        assert sum(shares) == (max(capacity, len(shares)) if capacity else 0)


LedgerMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestLedger = LedgerMachine.TestCase


def test_a_second_connection_takes_half_and_gives_it_back() -> None:
    ledger = CreditLedger(4)
    ledger.join(1)
    assert ledger.rebalance() == {1: 4}
    ledger.join(2)
    assert ledger.rebalance() == {1: -2, 2: 2}
    ledger.leave(1)
    assert ledger.rebalance() == {2: 2}


@pytest.mark.parametrize("limit", [1, 2])
def test_a_connection_that_ignores_its_credits_is_refused_at_the_limit(limit: int) -> None:
    ledger = CreditLedger(limit)
    ledger.join(1)
    ledger.rebalance()
    assert [ledger.spend(1, limit) for _ in range(limit + 1)] == [True] * limit + [False]
