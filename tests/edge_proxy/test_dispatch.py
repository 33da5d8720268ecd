"""The dispatcher between fake sessions, workers and timers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from edge_proxy.dispatch import SWEEP_SECONDS, Dispatcher
from edge_proxy.metrics import Metrics
from edge_proxy.prediction import Predictor
from edge_proxy.requests import Ask
from edge_proxy.scheduler import Scheduler
from edge_proxy.workers import Worker
from wire_protocol.frames import MAX_IDS, Cancel, Context, Done, Submit, TokenBatch


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
        worker = Worker(name, lambda: None)
        self.dispatcher.add(worker)
        self.dispatcher.connected(worker, ())
        self.dispatcher.credit(worker, credits)
        return worker

    def ask(self, id: int, supersedes: tuple[int, ...] = (), **fields: Any) -> None:
        whole = {"session": 1, "tenant": "t", "doc": f"d{id}", "context": Context(typed=str(id)), **fields}
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
