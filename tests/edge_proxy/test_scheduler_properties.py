"""What holds for the scheduler and the dispatcher whatever happens, in whatever order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edge_proxy.answer_cache import AnswerCache
from edge_proxy.breaker import Breaker
from edge_proxy.dispatch import Dispatcher
from edge_proxy.document_limit import MAX_PER_DOCUMENT
from edge_proxy.metrics import Metrics
from edge_proxy.prediction import Predictor
from edge_proxy.requests import CLASSES, Ask, Generation
from edge_proxy.scheduler import Scheduler
from edge_proxy.workers import Worker
from wire_protocol.frames import Cancel, Context, Done, ModelInfo, Promote, Submit, TokenBatch

SESSIONS = st.integers(1, 2)
TYPED = st.text("ab", max_size=4)
WAITING = 6


class FakeSink:
    """A session that checks what it is given."""

    def __init__(self) -> None:
        self.owed: set[int] = set()
        self.texts: dict[int, str] = {}
        self.ended: set[int] = set()

    def text(self, id: int, offset: int, text: str, tokens: int, *, now: bool) -> None:
        assert id in self.owed, "text for a request that has ended"
        assert offset == len(self.texts.get(id, "")), "a gap"
        assert text
        assert now == (offset == 0)
        self.texts[id] = self.texts.get(id, "") + text

    def done(self, done: Done) -> None:
        assert done.id in self.owed, "an end that nobody is owed"
        self.owed.remove(done.id)
        self.ended.add(done.id)


class FakeTimer:
    def cancel(self) -> None:
        """Nothing to do: the test calls when it wants to."""


class Edge(RuleBasedStateMachine):
    """Two workers and two sessions do anything at any time."""

    cached = False
    models: dict[str, tuple[ModelInfo, ...]] = {"one": (), "two": ()}

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.timer: Callable[[], None] | None = None
        self.scheduler = Scheduler(
            lambda: self.now,
            Predictor(),
            WAITING,
            cache=AnswerCache(lambda: self.now, max_bytes=3_000, seconds=1.0) if self.cached else None,
        )
        self.dispatcher = Dispatcher(lambda: self.now, self.call_later, self.scheduler, Metrics())
        self.sinks = {session: FakeSink() for session in (1, 2)}
        for session, sink in self.sinks.items():
            self.dispatcher.open(session, sink)
        self.workers = [Worker(name, lambda: None, Breaker(lambda: self.now)) for name in ("one", "two")]
        self.granted: dict[str, int] = {"one": 0, "two": 0}
        self.outstanding: dict[str, set[int]] = {"one": set(), "two": set()}
        self.last_id = 0
        self.kinds: dict[tuple[int, int], str] = {}
        self.superseded: set[tuple[int, int]] = set()
        for worker in self.workers:
            self.dispatcher.add(worker)

    def call_later(self, seconds: float, call: Callable[[], None]) -> FakeTimer:
        assert seconds >= 0
        self.timer = call
        return FakeTimer()

    def read(self, worker: Worker) -> None:
        """What the worker is sent, as its connection would write it."""
        for frame in worker.take_frames():
            if isinstance(frame, Submit):
                self.outstanding[worker.name].add(frame.id)
                assert len(self.outstanding[worker.name]) <= self.granted[worker.name], "more than its credits"
                assert frame.give_up_ms > 0 or frame.give_up_ms == 0
                for reader in worker.running[frame.id].readers:
                    assert (reader.ask.session, reader.ask.id) not in self.superseded, "a superseded one runs"
            elif isinstance(frame, Promote):
                assert frame.id in self.outstanding[worker.name], "promotes what the worker does not have"
            else:
                assert isinstance(frame, Cancel)
                assert set(frame.ids) <= self.outstanding[worker.name], "cancels what the worker does not have"

    def read_all(self) -> None:
        for worker in self.workers:
            self.read(worker)

    @rule(
        session=SESSIONS,
        typed=TYPED,
        doc=st.sampled_from(["x", "y"]),
        kind=st.sampled_from(list(CLASSES)),
        give_up=st.sampled_from([0.0, 0.05, 1.0, 10.0]),
        back=st.integers(0, 3),
    )
    def complete(self, session: int, typed: str, doc: str, kind: Any, give_up: float, back: int) -> None:
        self.last_id += 1
        sink = self.sinks[session]
        supersedes = sorted(sink.owed)[-back:] if back else []
        sink.owed.add(self.last_id)
        self.superseded |= {(session, id) for id in supersedes}
        ask = Ask(
            session=session,
            id=self.last_id,
            tenant="t",
            doc=doc,
            context=Context(typed=typed),
            kind=kind,
            max_tokens=8,
            give_up=give_up,
        )
        self.dispatcher.complete(ask, supersedes)
        assert not set(supersedes) & sink.owed, "a superseded request has no end"
        self.read_all()

    @rule(session=SESSIONS, back=st.integers(1, 3))
    def cancel(self, session: int, back: int) -> None:
        ids = sorted(self.sinks[session].owed)[-back:]
        self.dispatcher.cancel(session, ids)
        assert not set(ids) & self.sinks[session].owed
        self.read_all()

    @rule(index=st.integers(0, 1), credits=st.integers(1, 3))
    def connect_or_grant(self, index: int, credits: int) -> None:
        worker = self.workers[index]
        if not worker.connected:
            self.dispatcher.connected(worker, self.models[worker.name])
        self.granted[worker.name] += credits
        self.dispatcher.credit(worker, credits)
        self.read_all()

    @rule(index=st.integers(0, 1))
    def lose(self, index: int) -> None:
        worker = self.workers[index]
        if worker.connected:
            self.dispatcher.disconnected(worker)
            self.granted[worker.name] = 0
            self.outstanding[worker.name].clear()
            self.read_all()

    @rule(index=st.integers(0, 1), pick=st.integers(0, 5), text=st.text("ab", min_size=1, max_size=3))
    def produce(self, index: int, pick: int, text: str) -> None:
        found = self.pick(index, pick)
        if found is not None:
            worker, id, generation = found
            items = [TokenBatch(id=id, offset=len(generation.text) - generation.segment, text=text, tokens=1)]
            if not generation.readers:
                items = [TokenBatch(id=id, offset=0, text=text, tokens=1)]
            self.dispatcher.tokens(worker, items)
            self.read_all()

    @rule(
        index=st.integers(0, 1),
        pick=st.integers(0, 5),
        reason=st.sampled_from(["stop", "length", "shed", "error", "cancelled"]),
        mean_logprob=st.sampled_from([None, -0.1, -3.0]),
    )
    def finish(self, index: int, pick: int, reason: Any, mean_logprob: float | None) -> None:
        found = self.pick(index, pick)
        if found is not None:
            worker, id, _ = found
            self.outstanding[worker.name].discard(id)
            self.granted[worker.name] -= 1
            self.dispatcher.done(worker, Done(id=id, reason=reason, mean_logprob=mean_logprob))
            self.read_all()

    def pick(self, index: int, pick: int) -> tuple[Worker, int, Generation] | None:
        worker = self.workers[index]
        ids = sorted(worker.running)
        if not ids:
            return None
        id = ids[pick % len(ids)]
        return worker, id, worker.running[id]

    @rule(seconds=st.sampled_from([0.0, 0.01, 0.1, 2.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        if self.timer is not None:
            call, self.timer = self.timer, None
            call()
        self.read_all()

    @rule(session=SESSIONS)
    def session_ends(self, session: int) -> None:
        self.dispatcher.close(session)
        self.sinks[session] = FakeSink()
        self.dispatcher.open(session, self.sinks[session])
        self.read_all()

    @invariant()
    def what_is_owed_is_what_is_live(self) -> None:
        assert self.dispatcher.live == sum(len(sink.owed) for sink in self.sinks.values())
        for session, sink in self.sinks.items():
            assert all(self.dispatcher.is_live(session, id) for id in sink.owed)

    @invariant()
    def nothing_waits_while_a_worker_would_take_it(self) -> None:
        if any(worker.ready and worker.credits > 0 for worker in self.workers):
            assert self.dispatcher.waiting == 0

    @invariant()
    def bounds_hold(self) -> None:
        assert self.dispatcher.waiting <= WAITING
        assert all(len(held) <= MAX_PER_DOCUMENT for held in self.scheduler._live._documents.values())

    def teardown(self) -> None:
        self.dispatcher.shed_all()
        assert all(not sink.owed for sink in self.sinks.values()), "a request without an end"


TestEdge = Edge.TestCase
TestEdge.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


class CachedEdge(Edge):
    """The same with a small cache whose answers soon expire."""

    cached = True


TestCachedEdge = CachedEdge.TestCase
TestCachedEdge.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


class TieredEdge(CachedEdge):
    """The same with a small and a large model, so that some requests degrade and some are escalated."""

    models = {"one": (ModelInfo(name="s", tier="small"),), "two": (ModelInfo(name="l", tier="large"),)}

    @invariant()
    def nothing_waits_while_a_worker_would_take_it(self) -> None:
        small = self.workers[0]
        if small.ready and small.credits > 0:
            waiting = [live for live in self.scheduler._live if live in self.scheduler._line]
            assert all(live.least or live.ask.kind == "invoked" for live in waiting)


TestTieredEdge = TieredEdge.TestCase
TestTieredEdge.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


class Order(RuleBasedStateMachine):
    """The order of service against a sorted list."""

    def __init__(self) -> None:
        super().__init__()
        self.scheduler = Scheduler(lambda: 0.0, Predictor(), 1_000)
        self.model: list[tuple[int, int]] = []
        self.arrivals = 0

    @rule(kind=st.sampled_from(list(CLASSES)))
    def arrive(self, kind: Any) -> None:
        self.arrivals += 1
        ask = Ask(session=1, id=self.arrivals, tenant="", doc=str(self.arrivals), context=Context(), kind=kind)
        self.scheduler.submit(ask)
        self.model.append((CLASSES[kind], -self.arrivals))

    @rule(back=st.booleans())
    def serve(self, back: bool) -> None:
        request = self.scheduler.next_up()
        if request is None:
            assert self.model == []
            return
        best = min(self.model)
        assert (CLASSES[request.ask.kind], -request.ask.id) == best
        generation = self.scheduler.generations.start(request, "w")
        if back and generation.submits < 3:
            self.scheduler.generations.lost(generation)  # keeps its place by arrival
        else:
            self.scheduler.generations.ended(generation, Done(id=1, reason="stop"))
            self.model.remove(best)


TestOrder = Order.TestCase
TestOrder.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
