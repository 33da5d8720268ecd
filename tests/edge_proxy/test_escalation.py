"""An invoked request whose small model was unsure goes on to a larger one, and is never worse off for it."""

from __future__ import annotations

from typing import Any

import pytest
from scheduler_bench import Bench

from edge_proxy.answer_cache import AnswerCache
from edge_proxy.escalation import ESCALATION_SECONDS, Escalation
from edge_proxy.requests import Ask, Generation
from wire_protocol.frames import Context

SURE, UNSURE = -0.2, -2.5
SAME = Context(before="x = ", after="\n")


@pytest.fixture
def bench(clock: Any) -> Bench:
    return Bench(clock, cache=AnswerCache(clock))


def small(bench: Bench, larger: str = "large") -> Generation:
    """The next one up goes to a small model, while a larger one is connected."""
    request = bench.scheduler.next_up()
    bench.note()
    assert request is not None
    return bench.scheduler.generations.start(request, "s", "small", larger)


def large(bench: Bench) -> Generation:
    request = bench.scheduler.next_up()
    bench.note()
    assert request is not None
    assert request.least == "large"
    return bench.scheduler.generations.start(request, "l", "large", "")


def unsure(bench: Bench, id: int = 1, **fields: Any) -> None:
    """An invoked request that a small model has just answered badly."""
    bench.ask(id, kind="invoked", give_up=8.0, context=SAME, **fields)
    running = small(bench)
    bench.produce(running, "foo", tokens=2)
    bench.end(running, "stop", mean_logprob=UNSURE, model="tiny")


@pytest.mark.parametrize(
    ("kind", "text", "mean_logprob", "larger", "left", "goes_on"),
    [
        ("invoked", "foo", UNSURE, "large", 5.0, True),
        ("invoked", "", None, "large", 5.0, True),
        ("invoked", "foo", SURE, "large", 5.0, False),
        ("invoked", "foo", None, "large", 5.0, False),
        ("invoked", "foo", UNSURE, "", 5.0, False),
        ("invoked", "foo", UNSURE, "large", ESCALATION_SECONDS, False),
        ("automatic", "foo", UNSURE, "large", 5.0, False),
        ("prefetch", "foo", UNSURE, "large", 5.0, False),
    ],
)
def test_only_an_unsure_answer_to_who_asked_and_has_time_goes_on(
    kind: Any, text: str, mean_logprob: float | None, larger: str, left: float, goes_on: bool
) -> None:
    ask = Ask(session=1, id=1, tenant="t", doc="d", context=SAME, kind=kind)
    assert Escalation().goes_on(ask, text, mean_logprob, larger, left) is goes_on


def test_an_unsure_answer_is_replaced_by_the_larger_models(bench: Bench) -> None:
    unsure(bench)
    assert bench.texts == {}
    running = large(bench)
    bench.produce(running, "bar")
    assert bench.texts == {1: "bar"}
    bench.end(running, "stop", model="big", mean_logprob=SURE)
    assert (bench.texts[1], bench.ends[1].reason, bench.ends[1].model) == ("bar", "stop", "big")


def test_a_sure_answer_comes_whole_at_its_end(bench: Bench) -> None:
    bench.ask(1, kind="invoked", give_up=8.0)
    running = small(bench)
    bench.produce(running, "fo")
    bench.produce(running, "o")
    assert bench.texts == {}
    bench.end(running, "stop", mean_logprob=SURE)
    assert (bench.texts[1], bench.ends[1].reason) == ("foo", "stop")


def test_without_a_larger_tier_text_streams_as_ever(bench: Bench) -> None:
    bench.ask(1, kind="invoked", give_up=8.0)
    running = small(bench, larger="")
    bench.produce(running, "fo")
    assert bench.texts == {1: "fo"}
    bench.end(running, "stop", mean_logprob=UNSURE)
    assert bench.reasons() == {1: "stop"}


def test_what_was_typed_for_streams_whatever_the_model_thinks_of_it(bench: Bench) -> None:
    bench.ask(1)
    running = small(bench)
    bench.produce(running, "fo")
    assert bench.texts == {1: "fo"}


def test_the_small_answer_is_given_if_the_larger_model_says_nothing_in_time(bench: Bench, clock: Any) -> None:
    unsure(bench)
    running = large(bench)
    clock.advance(ESCALATION_SECONDS)
    bench.sweep()
    assert (bench.texts, bench.reasons()) == ({1: "foo"}, {1: "stop"})
    assert bench.causes == {1: "escalation_missed"}
    assert bench.ends[1].model == "tiny"
    assert bench.aborted == [running]


def test_the_small_answer_is_given_if_nothing_takes_the_larger_tiers_request(bench: Bench, clock: Any) -> None:
    unsure(bench)
    clock.advance(ESCALATION_SECONDS)
    bench.sweep()
    assert (bench.texts, bench.reasons()) == ({1: "foo"}, {1: "stop"})


def test_the_small_answer_is_given_at_once_if_the_larger_tier_is_gone(bench: Bench) -> None:
    unsure(bench)
    bench.scheduler.sweep(1, {"small"})
    bench.note()
    assert (bench.texts, bench.reasons()) == ({1: "foo"}, {1: "stop"})


@pytest.mark.parametrize("reason", ["error", "shed"])
def test_the_small_answer_is_given_if_the_larger_model_fails(bench: Bench, reason: Any) -> None:
    unsure(bench)
    bench.end(large(bench), reason)
    assert (bench.texts, bench.reasons()) == ({1: "foo"}, {1: "stop"})


def test_once_the_larger_model_speaks_it_has_all_the_time_that_was_asked_for(bench: Bench, clock: Any) -> None:
    unsure(bench)
    running = large(bench)
    bench.produce(running, "b")
    clock.advance(5.0)
    bench.sweep()
    assert bench.ends == {}
    clock.advance(3.0)
    bench.sweep()
    assert bench.reasons() == {1: "shed"}


def test_an_unsure_answer_in_the_cache_goes_on_for_who_asks_by_hand_only(bench: Bench) -> None:
    bench.ask(1, context=SAME)
    running = small(bench)
    bench.produce(running, "foo")
    bench.end(running, "stop", mean_logprob=UNSURE)
    bench.ask(2, context=SAME)
    assert bench.texts[2] == "foo"
    bench.ask(3, context=SAME, kind="invoked", give_up=8.0)
    assert 3 not in bench.texts
    bench.produce(large(bench), "bar")
    assert bench.texts[3] == "bar"


def test_the_larger_models_answer_is_the_one_that_is_kept(bench: Bench) -> None:
    unsure(bench)
    running = large(bench)
    bench.produce(running, "bar")
    bench.end(running, "stop", mean_logprob=UNSURE)
    bench.ask(2, context=SAME, kind="invoked", give_up=8.0)
    assert bench.texts[2] == "bar"


def test_who_attaches_by_hand_to_a_small_answer_is_escalated_alone(bench: Bench) -> None:
    bench.ask(1, context=SAME)
    running = small(bench)
    bench.produce(running, "fo")
    bench.ask(2, context=SAME, kind="invoked", give_up=8.0)
    bench.produce(running, "o")
    bench.end(running, "stop", mean_logprob=UNSURE)
    assert (bench.texts, bench.reasons()) == ({1: "foo"}, {1: "stop"})
    bench.produce(large(bench), "bar")
    assert bench.texts[2] == "bar"


def test_a_cancelled_escalation_gives_nothing(bench: Bench) -> None:
    unsure(bench)
    bench.cancel(1)
    assert (bench.texts, bench.reasons()) == ({}, {1: "cancelled"})


def test_what_was_held_back_at_a_lost_worker_is_not_lost(bench: Bench) -> None:
    bench.ask(1, kind="invoked", give_up=8.0)
    running = small(bench)
    bench.produce(running, "fo")
    bench.lose(running)
    again = small(bench, larger="")
    assert again is running
    bench.note()
    assert bench.texts == {1: "fo"}
    bench.produce(running, "o")
    bench.end(running, "stop")
    assert bench.texts == {1: "foo"}
