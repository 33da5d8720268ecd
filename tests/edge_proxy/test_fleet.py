"""Where a request goes: tiers, arms, saturation, and workers that fail and come back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.arms import arm_of, uniform
from edge_proxy.breaker import FAILURES, FIRST_REST, LONGEST_REST, TRY_SECONDS, Breaker
from edge_proxy.fleet import Fleet
from edge_proxy.requests import Ask
from edge_proxy.router import Candidate, affinity_key, choose
from edge_proxy.tiers import acceptable, wanted
from edge_proxy.workers import Worker
from wire_protocol.frames import Context, ModelInfo, Stats


def ask(**fields: Any) -> Ask:
    whole = {"session": 1, "id": 1, "tenant": "t", "doc": "d", "context": Context(language="python"), **fields}
    return Ask(**whole)


def worker(clock: Any, name: str, *models: tuple[str, Any], credits: int = 4) -> Worker:
    made = Worker(name, lambda: None, Breaker(clock))
    made.connect(tuple(ModelInfo(name=model, tier=tier) for model, tier in models))
    made.grant(credits)
    return made


# Tiers


@pytest.mark.parametrize(
    ("fields", "tier"),
    [
        ({}, "small"),
        ({"lines": "multi"}, "medium"),
        ({"kind": "prefetch", "lines": "multi"}, "small"),
        ({"kind": "invoked", "give_up": 8.0}, "medium"),
        ({"kind": "invoked", "give_up": 8.0, "lines": "multi"}, "large"),
        ({"kind": "invoked", "give_up": 1.0}, "small"),
        ({"lines": "multi", "objective": 0.05}, "small"),
        ({"context": Context(language="rust")}, "medium"),
    ],
)
def test_shape_class_budget_and_language_choose_the_tier(fields: dict[str, Any], tier: str) -> None:
    assert wanted(ask(**fields), {"rust": "medium"}) == tier


def test_a_smaller_tier_is_taken_rather_than_wait() -> None:
    assert acceptable(ask(lines="multi"), 0.0, {"small", "medium", "large"}, {}) == ["medium", "small"]


def test_who_asked_by_hand_waits_a_little_for_the_better_one() -> None:
    invoked = ask(kind="invoked", lines="multi", give_up=8.0)
    offered = {"small", "medium", "large"}
    assert acceptable(invoked, 0.0, offered, {}) == ["large"]
    assert acceptable(invoked, 0.06, offered, {}) == ["large", "medium", "small"]


def test_a_larger_tier_serves_only_where_no_smaller_one_is() -> None:
    assert acceptable(ask(), 0.0, {"large", "medium"}, {}) == ["medium"]
    assert acceptable(ask(lines="multi"), 0.0, {"large"}, {}) == ["large"]


def test_an_escalated_request_takes_no_smaller_tier(clock: Any) -> None:
    fleet = Fleet()
    big, small = worker(clock, "b", ("big", "large"), credits=1), worker(clock, "s", ("tiny", "small"))
    for one in (big, small):
        fleet.add(one)
    place = fleet.place(ask(kind="invoked"), 0.0, fleet.ready(), "medium")
    assert place is not None
    assert (place.worker, place.tier) == (big, "large")
    big.grant(-1)
    assert fleet.place(ask(kind="invoked"), 9.0, fleet.ready(), "medium") is None


def test_a_place_names_the_next_larger_tier_of_the_requests_own_arm(clock: Any) -> None:
    fleet = Fleet(arms={"a": frozenset({"tiny", "mid"})})
    for name, tier in (("tiny", "small"), ("mid", "medium"), ("big", "large")):
        fleet.add(worker(clock, name, (name, tier)))
    plain = fleet.place(ask(lines="multi"), 0.0, fleet.ready())
    in_arm = fleet.place(ask(lines="multi", arm="a"), 0.0, fleet.ready())
    assert plain is not None
    assert in_arm is not None
    assert (plain.tier, plain.larger, in_arm.tier, in_arm.larger) == ("medium", "large", "medium", "")


def test_a_full_tier_degrades(clock: Any) -> None:
    fleet = Fleet()
    medium = worker(clock, "m", ("big", "medium"), credits=1)
    small = worker(clock, "s", ("tiny", "small"))
    for one in (medium, small):
        fleet.add(one)
    first = fleet.place(ask(lines="multi"), 0.0, fleet.ready())
    assert first is not None
    assert (first.worker, first.tier) == (medium, "medium")
    medium.grant(-1)
    second = fleet.place(ask(lines="multi"), 0.0, fleet.ready())
    assert second is not None
    assert (second.worker, second.tier) == (small, "small")


# Arms


@given(st.text(max_size=20))
def test_hashes_are_shares(name: str) -> None:
    assert 0.0 <= uniform(name) < 1.0


def test_sessions_are_divided_by_share_and_stay_in_their_arm() -> None:
    shares = {"a": 0.5, "b": 0.2}
    arms = [arm_of(str(session), shares) for session in range(4_000)]
    assert arms == [arm_of(str(session), shares) for session in range(4_000)]
    assert [arms.count(name) / 4_000 for name in ("a", "b", "")] == pytest.approx([0.5, 0.2, 0.3], abs=0.03)


def test_an_arm_is_answered_by_its_models_and_by_others_if_they_are_gone(clock: Any) -> None:
    fleet = Fleet(arms={"new": frozenset({"m2"})})
    old, new = worker(clock, "old", ("m1", "small")), worker(clock, "new", ("m2", "small"))
    for one in (old, new):
        fleet.add(one)
    for doc in range(20):
        place = fleet.place(ask(doc=str(doc), arm="new"), 0.0, fleet.ready())
        assert place is not None
        assert place.worker is new
    new.disconnect()
    place = fleet.place(ask(arm="new"), 0.0, fleet.ready())
    assert place is not None
    assert place.worker is old


# Saturation


@pytest.mark.parametrize("load", [{"waiting": 5}, {"kv_use": 0.8}])
def test_a_saturated_favourite_gives_way(load: dict[str, Any]) -> None:
    key = affinity_key("t", "d")
    names = ["a", "b"]
    favourite = choose(key, [Candidate(name, 4, 0) for name in names])
    loaded = [Candidate(name, 4, 0, **(load if name == favourite else {})) for name in names]
    assert choose(key, loaded) != favourite


def test_all_saturated_still_serve() -> None:
    assert choose("k", [Candidate("a", 1, 3, 9, 0.9), Candidate("b", 0, 4, 9, 0.9)]) == "a"


def test_the_workers_own_word_counts(clock: Any) -> None:
    loaded = worker(clock, "w", ("m", "small"))
    loaded.stats = Stats(waiting=6)
    assert loaded.candidate().saturated


# Failing workers


def open_breaker(clock: Any) -> Breaker:
    breaker = Breaker(clock)
    for _ in range(FAILURES):
        assert breaker.usable()
        breaker.failed()
    return breaker


def test_it_opens_after_failures_in_a_row_only(clock: Any) -> None:
    breaker = Breaker(clock)
    for _ in range(3 * FAILURES):
        breaker.failed()
        breaker.succeeded()
    assert breaker.usable()
    assert not open_breaker(clock).usable()


def test_after_its_rest_one_try_at_a_time_decides(clock: Any) -> None:
    breaker = open_breaker(clock)
    clock.advance(FIRST_REST)
    assert breaker.usable()
    breaker.used()
    assert not breaker.usable()
    breaker.succeeded()
    assert breaker.usable()
    assert not breaker.open


def test_each_failed_try_doubles_the_rest(clock: Any) -> None:
    breaker = open_breaker(clock)
    rests = []
    for _ in range(8):
        rest = 0
        while not breaker.usable():
            clock.advance(0.5)
            rest += 1
        rests.append(rest / 2)
        breaker.used()
        breaker.failed()
    assert rests == [1.0, 2.0, 4.0, 8.0, 16.0, LONGEST_REST, LONGEST_REST, LONGEST_REST]


def test_a_try_that_never_ends_makes_room_for_another(clock: Any) -> None:
    breaker = open_breaker(clock)
    clock.advance(FIRST_REST)
    breaker.used()
    clock.advance(TRY_SECONDS)
    assert breaker.usable()


def test_an_ejected_worker_gets_nothing_until_its_probe(clock: Any) -> None:
    fleet = Fleet()
    sick, well = worker(clock, "sick", ("m", "small")), worker(clock, "well", ("m", "small"))
    for one in (sick, well):
        fleet.add(one)
    for _ in range(FAILURES):
        sick.health.failed()
    assert fleet.ready() == [well]
    clock.advance(FIRST_REST)
    assert fleet.ready() == [sick, well]
    sick.health.used()
    assert fleet.ready() == [well]


def test_if_all_are_ejected_all_are_used(clock: Any) -> None:
    fleet = Fleet()
    only = worker(clock, "only", ("m", "small"))
    fleet.add(only)
    for _ in range(FAILURES):
        only.health.failed()
    assert fleet.ready() == [only]
