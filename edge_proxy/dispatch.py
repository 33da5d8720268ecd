"""Joins scheduler, router, workers and sessions: each event goes in, what follows from it goes out; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, Protocol

from edge_proxy.fleet import Fleet
from edge_proxy.metrics import Metrics
from edge_proxy.requests import MS, Abort, Answer, Ask, Finished, Generation, Kept, Request, Text
from edge_proxy.scheduler import Scheduler
from edge_proxy.workers import Worker
from wire_protocol.frames import MAX_MODELS, Done, ModelInfo, Stats, TokenBatch

SWEEP_SECONDS: Final = 0.004
"""While requests wait, a predictable miss is looked for this often: with 1 ms for the timer it is shed within 5."""

SILENT_SECONDS: Final = 1.0
"""A worker that had a request for so long and said nothing has failed it: no prefill takes that long."""

NO_WORKER: Final = "No worker is connected to this proxy: use the local model and try again later."
DRAINING: Final = "This proxy is about to leave: use another one."


class Sink(Protocol):
    """Where a session's answers go."""

    def text(self, id: int, offset: int, text: str, tokens: int, *, now: bool) -> None: ...
    def done(self, done: Done) -> None: ...


class SharedCache(Protocol):
    """A cache beside this process; neither method waits."""

    def look_up(self, base: bytes, ask: Ask, found: Callable[[Answer], None]) -> None: ...
    def keep(self, base: bytes, ask: Ask, answer: Answer) -> None: ...


class Timer(Protocol):
    """A call that was scheduled."""

    def cancel(self) -> None: ...


CallLater = Callable[[float, Callable[[], None]], Timer]
"""The event loop's `call_later`: seconds from now, and what to call."""


class Dispatcher:
    """The middle of the proxy. `clock` gives monotonic seconds, at the pace `call_later` counts by."""

    def __init__(
        self,
        clock: Callable[[], float],
        call_later: CallLater,
        scheduler: Scheduler,
        metrics: Metrics,
        fleet: Fleet | None = None,
        shared: SharedCache | None = None,
    ) -> None:
        self._clock: Final = clock
        self._call_later: Final = call_later
        self._scheduler: Final = scheduler
        self._metrics: Final = metrics
        self._tokens_read: Final = metrics.tokens.labels("read")
        self._tokens_wasted: Final = metrics.tokens.labels("wasted")
        self._shared: Final = shared
        self._sinks: dict[int, Sink] = {}
        self._fleet: Final = Fleet() if fleet is None else fleet
        self._timer: Timer | None = None
        self._timer_at = 0.0
        self._idle_waiters: list[Callable[[], None]] = []
        self.draining = False

    @property
    def ready(self) -> bool:
        """Whether any worker takes requests, and this proxy does."""
        return not self.draining and any(worker.ready for worker in self._fleet)

    @property
    def live(self) -> int:
        """Requests without their end."""
        return self._scheduler.live

    @property
    def waiting(self) -> int:
        """Requests that no worker has."""
        return self._scheduler.waiting

    @property
    def workers(self) -> Iterable[Worker]:
        """All of them, connected or not."""
        return self._fleet

    def models(self) -> list[ModelInfo]:
        """What the connected workers offer, each once."""
        offered = {model.name: model for worker in self._fleet if worker.ready for model in worker.models}
        return list(offered.values())[:MAX_MODELS]

    # Sessions

    def open(self, session: int, sink: Sink) -> None:
        """A session begins; its answers go to `sink`."""
        self._sinks[session] = sink

    def close(self, session: int) -> None:
        """A session has ended; what it still wanted is cancelled."""
        self._sinks.pop(session, None)
        self._scheduler.drop_session(session)
        self._settle()

    def live_of(self, session: int) -> int:
        """Requests of `session` without their end."""
        return self._scheduler.live_of(session)

    def is_live(self, session: int, id: int) -> bool:
        """Whether request `id` of `session` has not ended."""
        return self._scheduler.is_live(session, id)

    def complete(self, ask: Ask, supersedes: Iterable[int]) -> None:
        """A request; its id must not be live."""
        if self.draining:
            self._scheduler.refuse(ask, supersedes, DRAINING, "draining")
        else:
            self._scheduler.submit(ask, supersedes)
        self._settle(preempt=True)
        if self._shared is not None:
            request = self._scheduler.unanswered(ask.session, ask.id)
            if request is not None:
                self._shared.look_up(request.base, ask, partial(self._found, request))

    def _found(self, request: Request, answer: Answer) -> None:
        self._scheduler.found(request, answer)
        self._settle()

    def refuse(self, ask: Ask, supersedes: Iterable[int], message: str, cause: str) -> None:
        """A request that is shed without a try."""
        self._scheduler.refuse(ask, supersedes, message, cause)
        self._settle()

    def cancel(self, session: int, ids: Iterable[int]) -> None:
        """The client wants no more of these."""
        self._scheduler.cancel(session, ids)
        self._settle()

    def cancel_documents(self, session: int, docs: Iterable[str]) -> None:
        """The client closed these documents."""
        self._scheduler.cancel_documents(session, docs)
        self._settle()

    def drain(self, when_idle: Callable[[], None]) -> None:
        """Take nothing new from now on; call `when_idle` as soon as nothing is live."""
        self.draining = True
        self._idle_waiters.append(when_idle)
        self._settle()

    def shed_all(self) -> None:
        """The grace time is over."""
        self._scheduler.shed_all(DRAINING, "draining")
        self._settle()

    # Workers

    def add(self, worker: Worker) -> None:
        """A worker that may connect."""
        self._fleet.add(worker)

    def connected(self, worker: Worker, models: tuple[ModelInfo, ...]) -> None:
        """The worker said welcome."""
        worker.connect(models)

    def credit(self, worker: Worker, grant: int) -> None:
        """The worker changes how many more it takes."""
        worker.grant(grant)
        self._settle()

    def tokens(self, worker: Worker, items: Iterable[TokenBatch]) -> None:
        """New text from the worker; items of answers that it does not owe are passed over."""
        for item in items:
            generation = worker.running.get(item.id)
            if generation is None:
                continue
            read = bool(generation.readers)
            (self._tokens_read if read else self._tokens_wasted).inc(item.tokens)
            worker.health.succeeded()
            self._scheduler.produced(generation, item.offset, item.text, item.tokens)
        self._settle()

    def done(self, worker: Worker, done: Done) -> None:
        """The worker is through with a generation."""
        if done.reason == "error":
            worker.health.failed()
        elif done.reason in {"stop", "length"}:
            worker.health.succeeded()
        self._done(worker, done)

    def _done(self, worker: Worker, done: Done) -> None:
        generation = worker.ended(done.id)
        if generation is None:
            return
        self._metrics.prompt_tokens.labels("reused").inc(done.usage.reused_tokens)
        evaluated = max(0, done.usage.prompt_tokens - done.usage.reused_tokens)
        self._metrics.prompt_tokens.labels("evaluated").inc(evaluated)
        self._scheduler.ended(generation, done)
        self._settle()

    def refused(self, worker: Worker, id: int, message: str) -> None:
        """The worker cannot take this submit at all; that is the request's fault."""
        self._done(worker, Done(id=id, reason="error", message=message))

    def stats(self, worker: Worker, stats: Stats) -> None:
        """The worker's load."""
        worker.stats = stats
        if stats.draining:
            self.leaving(worker)

    def leaving(self, worker: Worker) -> None:
        """The worker takes nothing new; what it runs, it finishes."""
        worker.leaving = True
        self._settle()

    def disconnected(self, worker: Worker) -> None:
        """The worker is gone; what it ran goes on elsewhere."""
        for generation in worker.disconnect():
            self._scheduler.lost(generation)
        self._settle()

    # Inside

    def _settle(self, preempt: bool = False) -> None:
        """After every event: hand out what workers will take, deliver what came of it, set the timer.

        Only arrivals and time `preempt`: right after a `done` its credit is still to come, and would be made twice.
        """
        self._hand_out()
        if preempt and self._scheduler.waiting:
            self._preempt()
        for outcome in self._scheduler.outcomes():
            match outcome:
                case Text():
                    self._deliver_text(outcome)
                case Finished():
                    self._deliver_end(outcome)
                case Abort(generation):
                    self._abort(generation)
                case Kept(base, ask, answer):
                    if self._shared is not None:
                        self._shared.keep(base, ask, answer)
        self._set_timer()
        if self._idle_waiters and not self._scheduler.live:
            waiters, self._idle_waiters = self._idle_waiters, []
            for waiter in waiters:
                waiter()

    def _hand_out(self) -> None:
        if not self._scheduler.waiting:
            return
        ready = self._fleet.ready()
        if not ready:
            self._scheduler.shed_waiting(NO_WORKER, "no_worker")
            return
        takes = None if self._fleet.uniform(ready) else self._taken_by(ready)
        while any(worker.credits > 0 for worker in ready):
            request = self._scheduler.next_up(takes)
            if request is None:
                return
            now = self._clock()
            place = self._fleet.place(request.ask, now - request.arrived, ready)
            if place is None:
                return
            generation = self._scheduler.start(request, place.worker.name)
            generation.tier = place.tier
            place.worker.submit(generation, request, now)
            if place.worker.health.open:
                ready = self._fleet.ready()  # it has its one try now

    def _taken_by(self, ready: list[Worker]) -> Callable[[Request], bool]:
        now = self._clock()
        return lambda request: self._fleet.place(request.ask, now - request.arrived, ready) is not None

    def _preempt(self) -> None:
        """Make room for whom somebody waits for, as far as slots are not about to be free anyway."""
        stopping = self._fleet.stopping()
        while self._scheduler.urgent() > stopping and self._scheduler.preempt():
            stopping += 1
            self._metrics.preempted.inc()

    def _deliver_text(self, outcome: Text) -> None:
        request = outcome.request
        if outcome.first and request.first_text is not None:
            seconds = request.first_text - request.arrived
            kind = request.ask.kind
            self._metrics.first_token.labels(kind).observe(seconds)
            if seconds <= request.ask.objective:
                self._metrics.within_objective.labels(kind).inc()
        sink = self._sinks.get(request.ask.session)
        if sink is not None:
            sink.text(request.ask.id, outcome.offset, outcome.text, outcome.tokens, now=outcome.first)

    def _deliver_end(self, outcome: Finished) -> None:
        request, done = outcome.request, outcome.done
        kind = request.ask.kind
        self._metrics.done.labels(done.reason, outcome.cause).inc()
        self._metrics.total.labels(kind).observe(done.timings.total_ms / MS)
        if request.started is not None:
            self._metrics.queue.labels(kind).observe(request.started - request.arrived)
        if request.source != "worker":
            (self._metrics.attached if request.source == "attached" else self._metrics.cached).inc()
        generation = request.generation
        if outcome.cause == "deadline" and generation is not None and generation.worker is not None:
            self._note_silence(generation)
        sink = self._sinks.get(request.ask.session)
        if sink is not None:
            sink.done(done)

    def _abort(self, generation: Generation) -> None:
        if generation.worker is not None:
            self._fleet.of(generation.worker).cancel(generation)

    def _note_silence(self, generation: Generation) -> None:
        silent = generation.first_text is None and self._clock() - generation.submitted >= SILENT_SECONDS
        if silent and generation.worker is not None:
            self._fleet.of(generation.worker).health.failed()

    def _set_timer(self) -> None:
        at = self._scheduler.next_deadline()
        if at is None:
            return
        now = self._clock()
        if self._scheduler.waiting:
            at = min(at, now + SWEEP_SECONDS)
        if self._timer is not None:
            if self._timer_at <= at:
                return
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._call_later(max(0.0, at - now), self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._scheduler.sweep(self._fleet.slots())
        self._settle(preempt=True)
