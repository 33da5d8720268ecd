"""Which waiting request goes to which worker now, and which prefetch makes room for it; pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from edge_proxy.fleet import Fleet
from edge_proxy.metrics import Metrics
from edge_proxy.requests import Request
from edge_proxy.scheduler import Scheduler
from edge_proxy.telemetry.observer import Observer
from edge_proxy.workers import Worker

NO_WORKER: Final = "No worker is connected to this proxy: use the local model and try again later."


class HandingOut:
    """`clock` gives monotonic seconds."""

    def __init__(
        self,
        clock: Callable[[], float],
        scheduler: Scheduler,
        fleet: Fleet,
        metrics: Metrics,
        observer: Observer,
    ) -> None:
        self._clock: Final = clock
        self._scheduler: Final = scheduler
        self._generations: Final = scheduler.generations
        self._fleet: Final = fleet
        self._preempted: Final = metrics.preempted
        self._observer: Final = observer

    def hand_out(self) -> None:
        """Give workers what they take; without any, what waits is shed."""
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
            place = self._fleet.place(request.ask, now - request.arrived, ready, request.least)
            if place is None:
                return
            generation = self._generations.start(request, place.worker.name, place.tier, place.larger)
            place.worker.submit(generation, request, now)
            self._observer.submitted(place.worker, generation, now)
            if place.worker.health.open:
                ready = self._fleet.ready()  # it has its one try now

    def preempt(self) -> None:
        """Make room for whom somebody waits for, as far as slots are not about to be free anyway."""
        if not self._scheduler.waiting:
            return
        stopping = self._fleet.stopping()
        while self._scheduler.urgent() > stopping and self._generations.preempt():
            stopping += 1
            self._preempted.inc()

    def _taken_by(self, ready: list[Worker]) -> Callable[[Request], bool]:
        now = self._clock()
        return lambda request: self._fleet.place(request.ask, now - request.arrived, ready, request.least) is not None
