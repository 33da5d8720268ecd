"""The dispatcher between fake sessions, workers and timers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from edge_proxy.breaker import Breaker
from edge_proxy.dispatch import Dispatcher
from edge_proxy.metrics import Metrics
from edge_proxy.prediction import Predictor
from edge_proxy.requests import Ask
from edge_proxy.scheduler import Scheduler
from edge_proxy.sweep_timer import SWEEP_SECONDS
from edge_proxy.workers import Worker
from wire_protocol.frames import MAX_IDS, Cancel, Context, Done, ModelInfo, Promote, Submit, TokenBatch


class FakeTimers:
    """`call_later` for a clock that the test moves."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.calls: list[tuple[float, Callable[[], None]]] = []

    def call_later(self, seconds: float, call: Callable[[], None]) -> Any:
        entry = (self.clock.now + seconds, call)
        self.calls.append(entry)
        timers = self

        class Handle:
            def cancel(self) -> None:
                timers.calls.remove(entry)

        return Handle()

    def advance(self, seconds: float) -> None:
        """Move the clock, calling what falls due on the way."""
        until = self.clock.now + seconds
        while due := [entry for entry in self.calls if entry[0] <= until]:
            entry = min(due, key=lambda entry: entry[0])
            self.calls.remove(entry)
            self.clock.now = max(self.clock.now, entry[0])
            entry[1]()
        self.clock.now = until


class FakeSink:
    def __init__(self) -> None:
        self.ends: dict[int, Done] = {}
        self.at: dict[int, float] = {}
        self.texts: list[tuple[int, int, str, bool]] = []

    def text(self, id: int, offset: int, text: str, tokens: int, *, now: bool) -> None:
        self.texts.append((id, offset, text, now))

    def done(self, done: Done) -> None:
        self.ends[done.id] = done


class Bench:
    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.timers = FakeTimers(clock)
        self.predictor = Predictor()
        scheduler = Scheduler(clock, self.predictor)
        self.dispatcher = Dispatcher(clock, self.timers.call_later, scheduler, Metrics())
        self.sink = FakeSink()
        self.dispatcher.open(1, self.sink)

    def worker(self, name: str = "w", credits: int = 1) -> Worker:
        worker = Worker(name, lambda: None, Breaker(self.clock))
        self.dispatcher.add(worker)
        self.dispatcher.connected(worker, ())
        self.dispatcher.credit(worker, credits)
        return worker

    def ask(self, id: int, supersedes: tuple[int, ...] = (), **fields: Any) -> None:
        whole = {
            "session": 1,
            "tenant": "t",
            "doc": f"d{id}",
            "context": Context(before=f"{id}\n", typed=str(id)),
            **fields,
        }
        self.dispatcher.complete(Ask(id=id, **whole), supersedes)


@pytest.fixture
def bench(clock: Any) -> Bench:
    return Bench(clock)


def test_a_request_goes_to_an_idle_worker_without_waiting_for_anything(bench: Bench) -> None:
    worker = bench.worker()
    bench.ask(1)
    (submit,) = worker.take_frames()
    assert isinstance(submit, Submit)
    assert submit.context.typed == "1"


def test_a_predictable_miss_is_answered_within_one_sweep(bench: Bench) -> None:
    bench.worker()
    bench.predictor.saw_end(10.0)
    bench.ask(1)
    bench.ask(2, give_up=2.0)
    assert bench.sink.ends == {}
    bench.timers.advance(SWEEP_SECONDS)
    assert bench.sink.ends[2].reason == "shed"


def test_deadlines_are_met_by_the_timer_alone(bench: Bench) -> None:
    bench.worker()
    bench.ask(1, give_up=2.0)
    bench.ask(2, give_up=1.0)
    bench.timers.advance(0.999)
    assert bench.sink.ends == {}
    bench.timers.advance(0.001)
    assert set(bench.sink.ends) == {2}
    bench.timers.advance(1.0)
    assert set(bench.sink.ends) == {1, 2}


def test_no_timer_is_left_when_nothing_is_live(bench: Bench) -> None:
    bench.worker()
    bench.ask(1, give_up=2.0)
    bench.dispatcher.cancel(1, [1])
    bench.timers.advance(10.0)
    assert bench.timers.calls == []


def test_only_the_first_text_of_an_answer_is_hurried(bench: Bench) -> None:
    worker = bench.worker()
    bench.ask(1)
    (submit,) = worker.take_frames()
    assert isinstance(submit, Submit)
    for offset, text in enumerate("abc"):
        bench.dispatcher.tokens(worker, [TokenBatch(id=submit.id, offset=offset, text=text, tokens=1)])
    assert bench.sink.texts == [(1, 0, "a", True), (1, 1, "b", False), (1, 2, "c", False)]


def test_a_cancelled_request_keeps_its_credit_until_the_worker_is_done(bench: Bench) -> None:
    worker = bench.worker()
    bench.ask(1)
    bench.dispatcher.cancel(1, [1])
    bench.ask(2)
    frames = worker.take_frames()
    assert [type(frame) for frame in frames] == [Submit, Cancel]
    bench.dispatcher.done(worker, Done(id=1, reason="cancelled"))
    bench.dispatcher.credit(worker, 1)
    assert [type(frame) for frame in worker.take_frames()] == [Submit]


def test_cancels_of_one_turn_are_one_frame_before_the_submits(bench: Bench) -> None:
    worker = bench.worker(credits=3)
    bench.ask(1)
    bench.ask(2)
    worker.take_frames()
    bench.ask(3, supersedes=(1, 2))
    frames = worker.take_frames()
    assert [type(frame) for frame in frames] == [Cancel, Submit]
    assert frames[0] == Cancel(ids=[1, 2])


def test_very_many_cancels_are_split_at_the_protocols_bound(bench: Bench) -> None:
    worker = bench.worker(credits=MAX_IDS + 1)
    for id in range(MAX_IDS + 1):
        bench.ask(id)
    worker.take_frames()
    bench.dispatcher.close(1)
    sizes = [len(frame.ids) for frame in worker.take_frames() if isinstance(frame, Cancel)]
    assert sizes == [MAX_IDS, 1]


def test_what_a_worker_says_about_unknown_ids_is_passed_over(bench: Bench) -> None:
    worker = bench.worker()
    bench.dispatcher.tokens(worker, [TokenBatch(id=99, offset=0, text="x", tokens=1)])
    bench.dispatcher.done(worker, Done(id=99, reason="stop"))
    assert (bench.sink.texts, bench.sink.ends) == ([], {})


def test_draining_calls_back_when_the_last_answer_is_given(bench: Bench) -> None:
    worker = bench.worker()
    bench.ask(1)
    idle: list[bool] = []
    bench.dispatcher.drain(lambda: idle.append(True))
    assert idle == []
    bench.ask(2)
    assert bench.sink.ends[2].reason == "shed"
    bench.dispatcher.done(worker, Done(id=1, reason="stop"))
    assert idle == [True]


def test_a_proxy_is_ready_only_while_a_worker_takes_requests(bench: Bench) -> None:
    assert not bench.dispatcher.ready
    worker = bench.worker()
    assert bench.dispatcher.ready
    bench.dispatcher.leaving(worker)
    assert not bench.dispatcher.ready


def test_the_worker_learns_that_somebody_waits_for_a_prefetch_now(bench: Bench) -> None:
    worker = bench.worker()
    same = Context(before="same")
    bench.ask(1, kind="prefetch", context=same)
    (submit,) = worker.take_frames()
    assert isinstance(submit, Submit)
    bench.clock.advance(0.5)
    bench.ask(2, kind="invoked", context=same, give_up=8.0)
    (promote,) = worker.take_frames()
    assert isinstance(promote, Promote)
    assert (promote.id, promote.kind, promote.give_up_ms) == (submit.id, "invoked", 8_000)
    assert promote.priority < submit.priority


def test_prefetches_give_way_only_as_far_as_slots_are_missing(bench: Bench) -> None:
    worker = bench.worker(credits=3)
    for id in (1, 2, 3):
        bench.ask(id, kind="prefetch")
    worker.take_frames()
    bench.ask(4)
    assert worker.take_frames() == [Cancel(ids=[3])]
    bench.timers.advance(2 * SWEEP_SECONDS)
    assert worker.take_frames() == []  # one slot is about to be free, and one is needed
    bench.dispatcher.done(worker, Done(id=3, reason="cancelled"))
    bench.dispatcher.credit(worker, 1)
    (submit,) = worker.take_frames()
    assert isinstance(submit, Submit)
    assert submit.kind == "automatic"


def test_a_worker_that_says_nothing_is_ejected(bench: Bench) -> None:
    silent, other = bench.worker("silent", credits=100), bench.worker("other", credits=100)
    id = 0
    while silent.health.usable():
        id += 1
        bench.ask(id, give_up=1.5)
        for generation in list(other.running):
            bench.dispatcher.tokens(other, [TokenBatch(id=generation, offset=0, text="x", tokens=1)])
            bench.dispatcher.done(other, Done(id=generation, reason="stop"))
        bench.timers.advance(1.6)
        assert id < 100
    before = len(silent.running)
    for more in range(200, 220):
        bench.ask(more)
    assert len(silent.running) == before


def test_a_request_that_no_worker_can_take_does_not_eject_it(bench: Bench) -> None:
    worker = bench.worker(credits=100)
    for id in range(1, 20):
        bench.ask(id)
        bench.dispatcher.refused(worker, id, "too large")
    assert not worker.health.open


def test_one_that_wants_a_busy_tier_does_not_hold_up_the_others(bench: Bench) -> None:
    large, small = bench.worker("large", credits=0), bench.worker("small", credits=4)
    large.connect((ModelInfo(name="l", tier="large"),))
    large.grant(1)
    large.grant(-1)
    small.connect((ModelInfo(name="s", tier="small"),))
    bench.dispatcher.credit(small, 4)
    bench.ask(1, kind="invoked", lines="multi", give_up=8.0)
    bench.ask(2)
    (submit,) = small.take_frames()
    assert isinstance(submit, Submit)
    assert (submit.kind, submit.tier) == ("automatic", "small")
    bench.timers.advance(0.06)  # a quarter of the objective has gone: any tier will do
    (submit,) = small.take_frames()
    assert isinstance(submit, Submit)
    assert submit.kind == "invoked"


def test_an_unsure_small_answer_to_who_asked_by_hand_goes_to_the_larger_worker(bench: Bench) -> None:
    small, large = bench.worker("small", credits=0), bench.worker("large", credits=0)
    for one, name, tier in ((small, "s", "small"), (large, "l", "large")):
        one.connect((ModelInfo(name=name, tier=tier),))
        bench.dispatcher.credit(one, 2)
    bench.ask(1, kind="invoked", give_up=3.0)
    (submit,) = small.take_frames()
    assert isinstance(submit, Submit)
    bench.dispatcher.tokens(small, [TokenBatch(id=submit.id, offset=0, text="x", tokens=1)])
    assert bench.sink.texts == []
    bench.dispatcher.done(small, Done(id=submit.id, reason="stop", mean_logprob=-3.0))
    (again,) = large.take_frames()
    assert isinstance(again, Submit)
    assert (again.tier, again.context) == ("large", submit.context)
    bench.dispatcher.tokens(large, [TokenBatch(id=again.id, offset=0, text="y", tokens=1)])
    bench.dispatcher.done(large, Done(id=again.id, reason="stop", model="l"))
    assert bench.sink.texts == [(1, 0, "y", True)]
    assert (bench.sink.ends[1].reason, bench.sink.ends[1].model) == ("stop", "l")


def test_the_small_answer_comes_when_the_larger_worker_leaves(bench: Bench) -> None:
    small, large = bench.worker("small", credits=0), bench.worker("large", credits=0)
    for one, name, tier in ((small, "s", "small"), (large, "l", "large")):
        one.connect((ModelInfo(name=name, tier=tier),))
        bench.dispatcher.credit(one, 2)
    bench.ask(1, kind="invoked", give_up=3.0)
    bench.dispatcher.tokens(small, [TokenBatch(id=1, offset=0, text="x", tokens=1)])
    bench.dispatcher.done(small, Done(id=1, reason="stop", mean_logprob=-3.0))
    bench.dispatcher.disconnected(large)
    bench.timers.advance(2 * SWEEP_SECONDS)
    assert bench.sink.texts == [(1, 0, "x", True)]
    assert bench.sink.ends[1].reason == "stop"
