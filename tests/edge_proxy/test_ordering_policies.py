"""What every order of service keeps to, and what the fair one does beyond it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from benchmarks.edge.first_come import FirstComeLine
from edge_proxy.requests import CLASSES, Ask, Request
from edge_proxy.waiting import FairLine, Line
from wire_protocol.frames import Context

WEIGHTS = {"heavy": 4.0, "light": 0.5}
POLICIES: dict[str, Callable[[], Line]] = {
    "fair, equal weights": FairLine,
    "fair, weighted": lambda: FairLine(lambda tenant: WEIGHTS.get(tenant, 1.0)),
    "first come, first served": FirstComeLine,
}


def request(seq: int, kind: Any = "automatic", tenant: str = "") -> Request:
    ask = Ask(session=1, id=seq, tenant=tenant, doc="d", context=Context(), kind=kind)
    return Request(ask=ask, seq=seq, arrived=0.0, deadline=1.0)


class Conformance(RuleBasedStateMachine):
    """Nothing is lost or served twice, and what the line says about itself is true."""

    make: Callable[[], Line]

    def __init__(self) -> None:
        super().__init__()
        self.line = type(self).make()
        self.waiting: dict[int, Request] = {}
        self.served: list[Request] = []
        self.arrivals = 0

    @rule(kind=st.sampled_from(list(CLASSES)), tenant=st.sampled_from(["heavy", "light", "other"]))
    def arrive(self, kind: Any, tenant: str) -> None:
        self.arrivals += 1
        self.waiting[self.arrivals] = request(self.arrivals, kind, tenant)
        self.line.add(self.waiting[self.arrivals])

    @rule()
    def serve(self) -> None:
        if not self.waiting:
            with pytest.raises(IndexError):
                self.line.first()
            return
        first = self.line.first()
        self.line.serve(first)
        del self.waiting[first.seq]
        self.served.append(first)

    @rule(pick=st.integers(0, 50), serves=st.booleans())
    def leave_from_the_middle(self, pick: int, serves: bool) -> None:
        if self.waiting:
            seq = sorted(self.waiting)[pick % len(self.waiting)]
            (self.line.serve if serves else self.line.remove)(self.waiting.pop(seq))

    @rule()
    def come_back(self) -> None:
        if self.served:
            back = self.served.pop()
            self.waiting[back.seq] = back
            self.line.add(back)

    @rule()
    def what_is_not_here_cannot_leave(self) -> None:
        for leave in (self.line.remove, self.line.serve):
            with pytest.raises(KeyError):
                leave(request(self.arrivals + 1))

    @invariant()
    def it_holds_what_came_and_did_not_leave(self) -> None:
        order = list(self.line)
        assert Counter(waiting.seq for waiting in order) == Counter(list(self.waiting))
        assert len(self.line) == len(self.waiting)
        assert all(waiting in self.line for waiting in self.waiting.values())
        assert self.line.urgent() == sum(waiting.ask.kind != "prefetch" for waiting in order)
        if order:
            assert all(0.0 < self.line.share(waiting.ask.tenant) <= 1.0 for waiting in order)
            assert (self.line.first(), self.line.last()) == (order[0], order[-1])

    def teardown(self) -> None:
        """The order that it foretold is the order in which it serves."""
        foretold = list(self.line)
        for expected in foretold:
            assert self.line.first() is expected
            self.line.serve(expected)


def conformance(make: Callable[[], Line]) -> Any:
    machine = type("Machine", (Conformance,), {"make": staticmethod(make)})
    machine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
    return machine.TestCase


TestFair = conformance(POLICIES["fair, equal weights"])
TestFairWeighted = conformance(POLICIES["fair, weighted"])
TestFirstCome = conformance(POLICIES["first come, first served"])


def drained(line: Line) -> list[int]:
    order = []
    while len(line):
        first = line.first()
        line.serve(first)
        order.append(first.seq)
    return order


def test_one_tenant_is_served_newest_first_inside_a_class() -> None:
    line = FairLine()
    for seq, kind in enumerate(["invoked", "prefetch", "automatic", "automatic", "prefetch"], start=1):
        line.add(request(seq, kind))
    assert drained(line) == [1, 4, 3, 5, 2]


def test_a_flood_of_one_tenant_does_not_starve_another() -> None:
    line = FairLine()
    for seq in range(1, 101):
        line.add(request(seq, tenant="flood"))
    for seq in (200, 201):
        line.add(request(seq, tenant="calm"))
    assert set(drained(line)[:4]) >= {200, 201}


def test_under_overload_service_is_shared_by_weight() -> None:
    line = FairLine(lambda tenant: {"gold": 3.0}.get(tenant, 1.0))
    for seq in range(400):
        line.add(request(seq, tenant="gold" if seq % 2 else "plain"))
    served = Counter("gold" if seq % 2 else "plain" for seq in drained(line)[:200])
    assert served == {"gold": 150, "plain": 50}


def test_idleness_saves_up_no_turns() -> None:
    line = FairLine()
    for seq in range(100):
        line.add(request(seq, tenant="busy"))
    for _ in range(50):
        line.serve(line.first())
    for seq in range(200, 220):
        line.add(request(seq, tenant="back"))
    served = Counter(seq >= 200 for seq in drained(line)[:20])
    assert served[True] in {10, 11}


def test_a_tenants_invoked_requests_count_against_its_automatic_ones() -> None:
    line = FairLine()
    for seq in range(10):
        line.add(request(seq, kind="invoked", tenant="a"))
    for seq in range(10, 20):
        line.add(request(seq, tenant="a"))
    for seq in range(20, 30):
        line.add(request(seq, tenant="b"))
    order = drained(line)
    assert set(order[:10]) == set(range(10))
    assert set(order[10:20]) == set(range(20, 30))


def test_tenants_that_left_are_forgotten() -> None:
    line = FairLine()
    line.add(request(1, kind="prefetch"))
    for seq in range(2, 500):
        line.add(request(seq, tenant=f"tenant-{seq}"))
        line.remove(line.first())
    assert len(line._times) < 10
