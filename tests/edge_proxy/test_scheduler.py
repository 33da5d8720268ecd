"""The scheduler alone, with a clock that the test moves."""

from __future__ import annotations

from typing import Any

import pytest
from scheduler_bench import Bench

from edge_proxy.generations import MAX_SUBMITS
from wire_protocol.frames import Context, Usage


@pytest.fixture
def bench(clock: Any) -> Bench:
    return Bench(clock)


def test_newest_goes_first_inside_a_class(bench: Bench) -> None:
    for id in (1, 2, 3):
        bench.ask(id)
    assert bench.order() == [3, 2, 1]


def test_classes_go_before_age(bench: Bench) -> None:
    bench.ask(1, kind="invoked")
    bench.ask(2, kind="automatic")
    bench.ask(3, kind="prefetch")
    bench.ask(4, kind="automatic")
    assert bench.order() == [1, 4, 2, 3]


def test_a_superseded_waiting_request_is_cancelled_and_never_runs(bench: Bench) -> None:
    bench.ask(1, "a", doc="d")
    bench.ask(2, "ab", supersedes=(1,), doc="d")
    assert bench.reasons() == {1: "cancelled"}
    assert bench.order() == [2]


def test_a_superseded_running_request_that_disagrees_is_cancelled_in_band(bench: Bench) -> None:
    bench.ask(1, "re", doc="d")
    running = bench.start()
    bench.produce(running, "turn a")
    bench.ask(2, "rex", supersedes=(1,), doc="d")
    assert bench.reasons() == {1: "cancelled"}
    assert bench.aborted == [running]
    assert bench.order() == [2]


def test_typing_on_in_agreement_attaches_to_the_running_generation(bench: Bench) -> None:
    bench.ask(1, "re", doc="d")
    running = bench.start()
    bench.produce(running, "turn a")
    bench.ask(2, "ret", supersedes=(1,), doc="d")
    assert bench.reasons() == {1: "cancelled"}
    assert bench.aborted == []
    assert bench.texts[2] == "urn a"
    bench.produce(running, " + b")
    bench.end(running)
    assert bench.texts[2] == "urn a + b"
    assert (bench.ends[2].reason, bench.ends[2].source) == ("stop", "attached")


def test_attaching_before_anything_is_produced_gives_only_what_was_not_typed(bench: Bench) -> None:
    bench.ask(1, "re", doc="d")
    running = bench.start()
    bench.ask(2, "retu", supersedes=(1,), doc="d")
    bench.produce(running, "t")
    assert 2 not in bench.texts
    bench.produce(running, "urn x")
    assert bench.texts[2] == "rn x"


def test_a_generation_that_turns_out_to_contradict_is_dropped_and_the_request_gets_its_own(bench: Bench) -> None:
    bench.ask(1, "re", doc="d")
    running = bench.start()
    bench.ask(2, "rex", supersedes=(1,), doc="d")
    bench.produce(running, "turn")
    assert bench.aborted == [running]
    own = bench.start()
    assert own.ask.context.typed == "rex"
    bench.produce(own, "ec()")
    bench.end(own)
    assert bench.texts[2] == "ec()"
    assert bench.ends[2].source == "worker"


def test_an_answer_that_ends_before_what_was_typed_is_no_answer(bench: Bench) -> None:
    bench.ask(1, "re", doc="d")
    running = bench.start()
    bench.ask(2, "return", supersedes=(1,), doc="d")
    bench.produce(running, "tu")
    bench.end(running)
    assert bench.reasons() == {1: "cancelled"}
    assert bench.order() == [2]


def test_an_overtyped_closing_bracket_still_attaches(bench: Bench) -> None:
    bench.ask(1, doc="d", context=Context(typed="f(", tail=")"))
    running = bench.start()
    bench.produce(running, "a) + 1")
    bench.ask(2, doc="d", context=Context(typed="f(a)", tail=""), supersedes=(1,))
    assert bench.texts[2] == " + 1"


def test_a_request_of_another_shape_does_not_attach(bench: Bench) -> None:
    bench.ask(1, "re", doc="d", lines="single")
    bench.start()
    bench.ask(2, "ret", doc="d", lines="multi", supersedes=(1,))
    assert len(bench.aborted) == 1
    assert bench.scheduler.waiting == 1


def test_requests_of_other_sessions_cannot_be_superseded(bench: Bench) -> None:
    bench.ask(1, session=1)
    bench.ask(2, session=2, supersedes=(1,))
    assert bench.ends == {}


def test_cancel_ends_waiting_and_running_requests_at_once(bench: Bench) -> None:
    bench.ask(1)
    running = bench.start()
    bench.ask(2)
    bench.scheduler.cancel(1, [1, 2, 99])
    bench.note()
    assert bench.reasons() == {1: "cancelled", 2: "cancelled"}
    assert bench.aborted == [running]
    assert bench.scheduler.live == 0


def test_text_after_the_end_goes_to_nobody(bench: Bench) -> None:
    bench.ask(1)
    running = bench.start()
    bench.scheduler.cancel(1, [1])
    bench.produce(running, "late")
    bench.end(running, "cancelled")
    assert bench.texts == {}
    assert bench.reasons() == {1: "cancelled"}


def test_a_third_request_of_a_document_pushes_out_the_one_that_does_not_agree(bench: Bench) -> None:
    bench.ask(1, "re", doc="d")
    bench.produce(bench.start(), "turn")
    bench.ask(2, "x", doc="d")
    bench.ask(3, "ret", doc="d")
    assert bench.reasons() == {2: "cancelled"}


def test_a_third_request_of_a_document_keeps_the_newer_one_where_none_agrees(bench: Bench) -> None:
    for id in (1, 2, 3):
        bench.ask(id, "abc"[id - 1], doc="d")
    assert bench.reasons() == {1: "cancelled"}


def test_a_prefetch_is_pushed_out_before_what_somebody_waits_for(bench: Bench) -> None:
    bench.ask(1, doc="d")
    bench.ask(2, doc="d", kind="prefetch")
    bench.ask(3, doc="d")
    assert bench.reasons() == {2: "cancelled"}


def test_a_prefetch_does_not_push_out_what_somebody_waits_for(bench: Bench) -> None:
    for id in (1, 2):
        bench.ask(id, doc="d")
    bench.ask(3, doc="d", kind="prefetch")
    assert bench.reasons() == {3: "cancelled"}


def test_a_missed_deadline_is_shed_empty_with_a_sentence(bench: Bench, clock: Any) -> None:
    bench.ask(1, give_up=0.5)
    clock.advance(0.4)
    bench.scheduler.sweep(1)
    bench.note()
    assert bench.ends == {}
    clock.advance(0.1)
    bench.scheduler.sweep(1)
    bench.note()
    assert bench.ends[1].reason == "shed"
    assert "500 ms" in bench.ends[1].message
    assert bench.causes[1] == "deadline"


def test_a_running_request_that_misses_its_deadline_is_stopped_at_the_worker(bench: Bench, clock: Any) -> None:
    bench.ask(1, give_up=0.5)
    running = bench.start()
    clock.advance(0.5)
    bench.scheduler.sweep(1)
    bench.note()
    assert bench.ends[1].reason == "shed"
    assert bench.aborted == [running]


def test_what_expired_while_it_waited_is_never_started(bench: Bench, clock: Any) -> None:
    bench.ask(1, give_up=5.0)
    bench.ask(2, give_up=0.1)
    clock.advance(0.2)
    assert bench.order() == [1]
    assert bench.reasons() == {2: "shed"}


def test_a_predictable_miss_is_shed_before_it_happens(bench: Bench, clock: Any) -> None:
    bench.ask(1, give_up=9.0)
    running = bench.start()
    clock.advance(0.3)
    bench.produce(running, "x")
    clock.advance(0.7)
    bench.end(running)
    for id in (2, 3, 4):  # with one slot of 1 s each, first tokens come after 1.3, 2.3 and 3.3 s
        bench.ask(id, give_up=2.5)
    bench.scheduler.sweep(1)
    bench.note()
    assert bench.causes == {1: "worker_stop", 2: "predicted_miss"}


def test_the_next_deadline_is_the_earliest_live_one(bench: Bench, clock: Any) -> None:
    bench.ask(1, give_up=1.0)
    bench.ask(2, give_up=3.0)
    assert bench.scheduler.next_deadline() == clock.now + 1.0
    bench.scheduler.cancel(1, [1])
    assert bench.scheduler.next_deadline() == clock.now + 3.0
    bench.scheduler.cancel(1, [2])
    assert bench.scheduler.next_deadline() is None


def test_a_full_line_sheds_what_would_be_served_last(clock: Any) -> None:
    bench = Bench(clock, max_waiting=2)
    bench.ask(1)
    bench.ask(2, kind="prefetch")
    bench.ask(3)
    assert bench.causes == {2: "queue_full"}


def test_an_answer_whose_worker_is_lost_goes_on_where_it_was(bench: Bench) -> None:
    bench.ask(1, max_tokens=10)
    first = bench.start("one")
    bench.produce(first, "ret", tokens=2)
    bench.scheduler.generations.lost(first)
    again = bench.start("two")
    assert again is first
    assert (again.worker, again.segment, again.tokens) == ("two", 3, 2)
    bench.produce(again, "urn")
    bench.end(again, usage=Usage(prompt_tokens=5, generated_tokens=1))
    assert bench.texts[1] == "return"
    assert bench.ends[1].usage.generated_tokens == 3


def test_a_lost_answer_that_had_all_its_tokens_is_complete(bench: Bench) -> None:
    bench.ask(1, max_tokens=2)
    running = bench.start()
    bench.produce(running, "ab", tokens=2)
    bench.scheduler.generations.lost(running)
    bench.note()
    assert bench.reasons() == {1: "length"}


def test_a_request_that_outlives_too_many_workers_is_shed(bench: Bench) -> None:
    bench.ask(1)
    for _ in range(MAX_SUBMITS):
        bench.scheduler.generations.lost(bench.start())
        bench.note()
    assert bench.causes == {1: "workers_lost"}


def test_a_gap_in_the_workers_answer_is_an_error_not_wrong_text(bench: Bench) -> None:
    bench.ask(1)
    running = bench.start()
    bench.scheduler.generations.produced(running, 5, "text", 1)
    bench.note()
    assert bench.reasons() == {1: "error"}
    assert bench.texts == {}


def test_a_workers_shed_is_passed_on_with_its_reason(bench: Bench) -> None:
    bench.ask(1)
    bench.end(bench.start(), "shed", message="The engine is full.")
    assert (bench.ends[1].reason, bench.ends[1].message) == ("shed", "The engine is full.")


def test_an_ended_session_leaves_nothing_behind(bench: Bench) -> None:
    bench.ask(1)
    running = bench.start()
    bench.ask(2)
    bench.scheduler.drop_session(1)
    bench.note()
    assert bench.aborted == [running]
    assert (bench.scheduler.live, bench.scheduler.waiting) == (0, 0)


def test_residence_times_are_measured_by_the_schedulers_clock(bench: Bench, clock: Any) -> None:
    bench.ask(1)
    clock.advance(0.010)
    running = bench.start()
    clock.advance(0.020)
    bench.produce(running, "x")
    clock.advance(0.030)
    bench.end(running)
    timings = bench.ends[1].timings
    assert timings.queue_ms == pytest.approx(10)
    assert timings.first_token_ms == pytest.approx(30)
    assert timings.total_ms == pytest.approx(60)


def test_deadlines_of_ended_requests_do_not_pile_up_and_live_ones_are_kept(bench: Bench, clock: Any) -> None:
    bench.ask(0, give_up=1.0)
    for id in range(1, 500):
        bench.ask(id, give_up=600.0)
        bench.scheduler.cancel(1, [id])
        bench.note()
    assert len(bench.scheduler._live._deadlines) < 100
    assert bench.scheduler.next_deadline() == clock.now + 1.0
