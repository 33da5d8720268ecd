"""Joins scheduler, fleet and sessions: each event goes in, what follows from it goes out; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from edge_proxy.delivery import Delivery
from edge_proxy.fleet import Fleet
from edge_proxy.handing_out import HandingOut
from edge_proxy.metrics import Metrics
from edge_proxy.ports import CallLater, SharedCache, Sink
from edge_proxy.requests import Answer, Ask, Request
from edge_proxy.scheduler import Scheduler
from edge_proxy.sweep_timer import SweepTimer
from edge_proxy.telemetry.observer import Observer
from edge_proxy.workers import Worker
from wire_protocol.frames import MAX_MODELS, Done, ModelInfo, Stats, TokenBatch

DRAINING: Final = "This proxy is about to leave: use another one."


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
        observer: Observer | None = None,
    ) -> None:
        self._scheduler: Final = scheduler
        self._generations: Final = scheduler.generations
        self._observer: Final = Observer(metrics, clock) if observer is None else observer
        self._tokens_read: Final = metrics.tokens.labels("read")
        self._tokens_wasted: Final = metrics.tokens.labels("wasted")
        self._shared: Final = shared
        self._fleet: Final = Fleet() if fleet is None else fleet
        self._delivery: Final = Delivery(clock, self._observer, self._fleet, shared)
        self._handing_out: Final = HandingOut(clock, scheduler, self._fleet, metrics, self._observer)
        self._timer: Final = SweepTimer(clock, call_later, self._on_timer)
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
        self._delivery.open(session, sink)

    def close(self, session: int) -> None:
        """A session has ended; what it still wanted is cancelled."""
        self._delivery.close(session)
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

    def remove(self, worker: Worker) -> None:
        """A worker that was disconnected for good."""
        self._fleet.remove(worker)
        self._settle()

    def add(self, worker: Worker) -> None:
        """A worker that may connect."""
        self._fleet.add(worker)

    def connected(self, worker: Worker, models: tuple[ModelInfo, ...]) -> None:
        """The worker said welcome."""
        worker.connect(models)
        self._observer.connected(worker)

    def credit(self, worker: Worker, grant: int) -> None:
        """The worker changes how many more it takes."""
        worker.grant(grant)
        if self._scheduler.waiting:
            self._settle()

    def tokens(self, worker: Worker, items: Iterable[TokenBatch]) -> None:
        """New text from the worker; items of answers that it does not owe are passed over."""
        owed = False
        for item in items:
            generation = worker.running.get(item.id)
            if generation is None:
                continue
            owed = True
            read = bool(generation.readers)
            (self._tokens_read if read else self._tokens_wasted).inc(item.tokens)
            self._generations.produced(generation, item.offset, item.text, item.tokens)
        if owed:
            worker.health.succeeded()
        if self._scheduler.waiting or self._idle_waiters:
            self._settle()
        else:  # text frees no slot and moves no deadline
            self._delivery.deliver(self._scheduler.outcomes())

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
        evaluated = max(0, done.usage.prompt_tokens - done.usage.reused_tokens)
        self._observer.worker_done(worker, generation, done, evaluated)
        if generation.ask.account is not None:
            generation.ask.account.charge(evaluated + done.usage.generated_tokens)
        self._generations.ended(generation, done)
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
        lost = worker.disconnect()
        self._observer.disconnected(worker, lost)
        for generation in lost:
            self._generations.lost(generation)
        self._settle()

    # Inside

    def _settle(self, preempt: bool = False) -> None:
        """After every event: hand out what workers will take, deliver what came of it, set the timer.

        Only arrivals and time `preempt`: right after a `done` its credit is still to come, and would be made twice.
        """
        self._handing_out.hand_out()
        if preempt:
            self._handing_out.preempt()
        self._delivery.deliver(self._scheduler.outcomes())
        self._timer.need(self._scheduler.next_deadline(), self._scheduler.waiting)
        if self._idle_waiters and not self._scheduler.live:
            waiters, self._idle_waiters = self._idle_waiters, []
            for waiter in waiters:
                waiter()

    def _on_timer(self) -> None:
        self._scheduler.sweep(self._fleet.slots(), self._fleet.tiers())
        self._settle(preempt=True)
