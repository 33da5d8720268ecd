"""Requests that share work: one generation for several, answers from the cache, prefetches that give way."""

from __future__ import annotations

from typing import Any

import pytest
from scheduler_bench import Bench

from edge_proxy.answer_cache import AnswerCache
from wire_protocol.frames import Context

SAME = Context(before="x = ", typed="re", after="\n")


@pytest.fixture
def bench(clock: Any) -> Bench:
    return Bench(clock, cache=AnswerCache(clock))


def typed(text: str) -> Context:
    return Context(before="x = ", typed=text, after="\n")


def test_an_identical_request_of_another_session_attaches(bench: Bench) -> None:
    bench.ask(1, context=SAME)
    running = bench.start()
    bench.produce(running, "tu")
    bench.ask(2, context=SAME, session=2)
    bench.produce(running, "rn")
    bench.end(running)
    assert bench.texts == {1: "turn", 2: "turn"}
    assert [bench.ends[id].source for id in (1, 2)] == ["worker", "attached"]
    assert bench.scheduler.live == 0


def test_another_session_does_not_attach_by_typing_on(bench: Bench) -> None:
    bench.ask(1, context=SAME)
    bench.produce(bench.start(), "turn")
    bench.ask(2, context=typed("ret"), session=2)
    assert 2 not in bench.texts
    assert bench.scheduler.waiting == 1


def test_another_tenant_never_attaches(bench: Bench) -> None:
    bench.ask(1, context=SAME)
    bench.start()
    bench.ask(2, context=SAME, session=2, tenant="u")
    assert bench.scheduler.waiting == 1


def test_a_prefetch_under_way_is_joined_by_who_needs_it(bench: Bench) -> None:
    bench.ask(1, context=SAME, kind="prefetch")
    running = bench.start()
    bench.produce(running, "tu")
    bench.ask(2, context=typed("ret"))
    assert bench.texts[2] == "u"


def test_who_joins_a_less_urgent_generation_raises_its_class(bench: Bench) -> None:
    bench.ask(1, context=SAME, kind="prefetch")
    running = bench.start()
    bench.ask(2, context=SAME, kind="automatic")
    bench.ask(3, context=SAME, kind="invoked")
    assert bench.promoted == [(running, 2), (running, 3)]


def test_who_joins_a_generation_as_urgent_changes_nothing(bench: Bench) -> None:
    bench.ask(1, context=SAME, kind="automatic")
    bench.start()
    bench.ask(2, context=SAME, kind="automatic", session=2)
    bench.ask(3, context=SAME, kind="prefetch", session=2)
    assert bench.promoted == []


def test_attached_work_lives_while_one_wants_it(bench: Bench) -> None:
    bench.ask(1, context=SAME)
    running = bench.start()
    bench.ask(2, context=SAME, session=2)
    bench.cancel(1)
    assert bench.aborted == []
    bench.cancel(2, session=2)
    assert bench.aborted == [running]


def test_one_readers_deadline_does_not_end_the_others(bench: Bench, clock: Any) -> None:
    bench.ask(1, context=SAME, give_up=0.5)
    running = bench.start()
    bench.ask(2, context=SAME, session=2, give_up=5.0)
    clock.advance(0.6)
    bench.sweep()
    bench.produce(running, "turn")
    bench.end(running)
    assert bench.reasons() == {1: "shed", 2: "stop"}
    assert bench.texts == {2: "turn"}


def test_a_lost_worker_is_replaced_once_for_all_readers(bench: Bench) -> None:
    bench.ask(1, context=SAME)
    running = bench.start("one")
    bench.ask(2, context=SAME, session=2)
    bench.produce(running, "tu")
    bench.lose(running)
    assert bench.scheduler.waiting == 1
    again = bench.start("two")
    bench.produce(again, "rn")
    bench.end(again)
    assert bench.texts == {1: "turn", 2: "turn"}


def test_the_readers_left_wait_on_if_the_one_in_line_leaves(bench: Bench) -> None:
    bench.ask(1, context=SAME)
    running = bench.start("one")
    bench.ask(2, context=SAME, session=2)
    bench.lose(running)
    bench.cancel(1)
    assert bench.scheduler.waiting == 1
    again = bench.start("two")
    bench.produce(again, "turn")
    bench.end(again)
    assert bench.texts == {2: "turn"}


def test_a_reader_that_disagrees_leaves_the_others_alone(bench: Bench) -> None:
    bench.ask(1, context=SAME)
    running = bench.start()
    bench.ask(2, context=typed("rex"))
    bench.produce(running, "turn")
    assert bench.texts == {1: "turn"}
    assert bench.scheduler.waiting == 1
    assert bench.aborted == []


def test_a_finished_answer_is_given_again_without_a_worker(bench: Bench) -> None:
    bench.ask(1, context=SAME)
    running = bench.start()
    bench.produce(running, "turn")
    bench.end(running, model="m", mean_logprob=-0.5)
    bench.ask(2, context=typed("ret"))
    assert bench.texts[2] == "urn"
    done = bench.ends[2]
    assert (done.reason, done.source, done.model, done.mean_logprob) == ("stop", "cache", "m", -0.5)
    assert bench.scheduler.live == 0


def test_a_request_served_from_the_cache_still_ends_what_it_supersedes(bench: Bench) -> None:
    bench.ask(1, context=SAME)
    running = bench.start()
    bench.produce(running, "turn")
    bench.end(running)
    bench.ask(2, context=typed("y"))
    bench.ask(3, context=SAME, supersedes=(2,))
    assert bench.reasons() == {1: "stop", 2: "cancelled", 3: "stop"}


def test_one_that_waited_takes_the_answer_that_came_meanwhile(bench: Bench) -> None:
    bench.ask(1, context=SAME)
    bench.ask(2, context=SAME, session=2)
    running = bench.start()
    assert bench.scheduler.next_up() is None
    bench.produce(running, "turn")
    bench.end(running)
    assert bench.texts == {1: "turn", 2: "turn"}


def test_an_aborted_answer_is_not_kept(bench: Bench) -> None:
    bench.ask(1, context=SAME)
    running = bench.start()
    bench.produce(running, "tu")
    bench.cancel(1)
    bench.end(running, "stop")
    bench.ask(2, context=SAME)
    assert 2 not in bench.ends


def test_a_silent_prefetch_gives_way_and_waits_again(bench: Bench) -> None:
    bench.ask(1, kind="prefetch")
    running = bench.start()
    bench.ask(2)
    assert bench.scheduler.generations.preempt()
    bench.note()
    assert bench.aborted == [running]
    assert bench.order() == [2, 1]


def test_the_latest_prefetch_gives_way_first(bench: Bench) -> None:
    for id in (1, 2):
        bench.ask(id, kind="prefetch")
        bench.start()
    bench.scheduler.generations.preempt()
    bench.note()
    assert [generation.ask.id for generation in bench.aborted] == [2]


def test_a_prefetch_with_text_is_not_preempted(bench: Bench) -> None:
    bench.ask(1, kind="prefetch")
    bench.produce(bench.start(), "x")
    assert not bench.scheduler.generations.preempt()


def test_a_prefetch_that_somebody_waits_for_is_not_preempted(bench: Bench) -> None:
    bench.ask(1, kind="prefetch", context=SAME)
    bench.start()
    bench.ask(2, context=SAME)
    assert not bench.scheduler.generations.preempt()


def test_what_somebody_waits_for_is_never_preempted(bench: Bench) -> None:
    bench.ask(1)
    bench.start()
    assert not bench.scheduler.generations.preempt()
