"""The proxy's policies in simulated time: real scheduler, predictor, line, router, dispatcher; made-up workers."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from benchmarks.edge.stand_in import Timings
from edge_proxy.breaker import Breaker
from edge_proxy.dispatch import Dispatcher
from edge_proxy.metrics import Metrics
from edge_proxy.prediction import Chances, Predictor
from edge_proxy.requests import Ask
from edge_proxy.scheduler import Scheduler
from edge_proxy.waiting import Line
from edge_proxy.workers import Worker
from wire_protocol.frames import Cancel, Context, Done, Kind, Submit, TokenBatch


class NoPrediction(Predictor):
    """Sheds only what has missed its deadline, as a plain queue with a time limit does."""

    def chances(self, slots: int, now: float) -> Chances:
        """Everybody has every chance."""
        return Chances(float("inf"), 0.0, [0.0, 0.0, 0.0], lambda tenant: [0.0, 0.0, 0.0], 0.0)


class _Handle:
    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Time:
    """A clock that jumps from event to event."""

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, _Handle, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def __call__(self) -> float:
        return self.now

    def call_later(self, seconds: float, call: Callable[[], None]) -> _Handle:
        """Call `call` then, unless it is cancelled."""
        handle = _Handle()
        heapq.heappush(self._events, (self.now + seconds, next(self._numbers), handle, call))
        return handle

    def run(self, until: float) -> None:
        """All events up to `until`."""
        while self._events and self._events[0][0] <= until:
            at, _, handle, call = heapq.heappop(self._events)
            if not handle.cancelled:
                self.now = max(self.now, at)
                call()
        self.now = until


@dataclass(slots=True)
class Fate:
    """What became of one request; times in seconds since the start."""

    tenant: str
    kind: Kind
    arrived: float
    first: float | None = None
    ended: float | None = None
    reason: str = ""
    hopeless: float | None = None
    """Since when its miss was seen to be predictable, without a break, if it was watched."""


@dataclass(slots=True)
class _Sink:
    time: Time
    fates: dict[int, Fate] = field(default_factory=dict)

    def text(self, id: int, offset: int, text: str, tokens: int, *, now: bool) -> None:
        fate = self.fates[id]
        fate.first = self.time.now if fate.first is None else fate.first

    def done(self, done: Done) -> None:
        fate = self.fates[done.id]
        fate.ended, fate.reason = self.time.now, done.reason


class Simulation:
    """One proxy with `workers` workers; `line` and `predictor` are the policies compared."""

    def __init__(self, timings: Timings, line: Line, predictor: Predictor, workers: int = 1, seed: int = 1) -> None:
        self.time: Final = Time()
        self.generated = 0
        self._timings: Final = timings
        self._random: Final = random.Random(seed)
        self._scheduler: Final = Scheduler(self.time, predictor, line=line)
        self._dispatcher: Final = Dispatcher(self.time, self.time.call_later, self._scheduler, Metrics())
        self._sink: Final = _Sink(self.time)
        self._dispatcher.open(1, self._sink)
        self._live: set[tuple[str, int]] = set()
        self._workers: Final = [self._worker(f"worker-{number}") for number in range(workers)]

    @property
    def fates(self) -> list[Fate]:
        """Of all requests, in the order in which they came."""
        return list(self._sink.fates.values())

    def poisson(self, rate: float, until: float, tenant: str = "", kind: Kind = "automatic") -> None:
        """Independent requests at `rate` a second from now on, each for a document of its own."""
        at = self.time.now
        while (at := at + self._random.expovariate(rate)) < until:
            self.time.call_later(at - self.time.now, lambda: self._ask(tenant, kind))

    def watch(self, every: float, until: float) -> None:
        """Note since when the miss of a request that waits is predictable, looking every so many seconds."""

        watched: set[int] = set()

        def look() -> None:
            hopeless = {each.ask.id for each in self._scheduler.hopeless(sum(one.slots for one in self._workers))}
            for id in watched - hopeless:  # there is hope again, or it has ended
                if not self._sink.fates[id].reason:
                    self._sink.fates[id].hopeless = None
            for id in hopeless - watched:
                self._sink.fates[id].hopeless = self.time.now
            watched.clear()
            watched.update(hopeless)
            if self.time.now < until:
                self.time.call_later(every, look)

        look()

    def _ask(self, tenant: str, kind: Kind) -> None:
        id = len(self._sink.fates) + 1
        self._sink.fates[id] = Fate(tenant, kind, self.time.now)
        context = Context(before=str(id))
        self._dispatcher.complete(Ask(session=1, id=id, tenant=tenant, doc=str(id), context=context, kind=kind), ())
        self._read()

    def _worker(self, name: str) -> Worker:
        worker = Worker(name, lambda: None, Breaker(self.time))
        self._dispatcher.add(worker)
        self._dispatcher.connected(worker, ())
        self._dispatcher.credit(worker, self._timings.slots)
        return worker

    def _read(self) -> None:
        for worker in self._workers:
            for frame in worker.take_frames():
                if isinstance(frame, Submit):
                    self._live.add((worker.name, frame.id))
                    self._play(worker, frame.id, 0, self._timings.first)
                elif isinstance(frame, Cancel):
                    for id in frame.ids:
                        self._end(worker, id, Done(id=id, reason="cancelled"))

    def _play(self, worker: Worker, id: int, chunk: int, wait: float) -> None:
        def say() -> None:
            if (worker.name, id) not in self._live:
                return
            self.generated += 1
            self._dispatcher.tokens(worker, [TokenBatch(id=id, offset=chunk, text="x", tokens=1)])
            if chunk + 1 == self._timings.chunks:
                self._end(worker, id, Done(id=id, reason="stop"))
            else:
                self._play(worker, id, chunk + 1, self._timings.between)
            self._read()

        self.time.call_later(wait, say)

    def _end(self, worker: Worker, id: int, done: Done) -> None:
        if (worker.name, id) in self._live:
            self._live.discard((worker.name, id))
            self._dispatcher.done(worker, done)
            self._dispatcher.credit(worker, 1)
            self._read()
