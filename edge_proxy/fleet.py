"""All workers of a proxy, and the one that a request should go to now: arm, tier, health, then affinity; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from edge_proxy.requests import Ask
from edge_proxy.router import affinity_key, choose
from edge_proxy.tiers import Tier, acceptable, at_least, next_larger
from edge_proxy.workers import Worker


class Place(NamedTuple):
    """Where a request goes: a worker with a credit, and the tier of the model that is to answer."""

    worker: Worker
    tier: Tier
    larger: Tier | Literal[""] = ""
    """The next larger tier that there is for the request; "" if there is none."""


class Fleet:
    """`floors`: the least tier of a language; `arms`: the models of each A/B arm, by name."""

    def __init__(
        self, floors: Mapping[str, Tier] | None = None, arms: Mapping[str, frozenset[str]] | None = None
    ) -> None:
        self._floors = dict(floors or {})
        self._arms = dict(arms or {})
        self._workers: dict[str, Worker] = {}

    def __iter__(self) -> Iterator[Worker]:
        return iter(self._workers.values())

    def add(self, worker: Worker) -> None:
        """A worker that may connect; its name is new."""
        self._workers[worker.name] = worker

    def remove(self, worker: Worker) -> None:
        """A worker that is to be connected no more; nothing runs on it."""
        self._workers.pop(worker.name, None)

    def configure(self, floors: Mapping[str, Tier], arms: Mapping[str, frozenset[str]]) -> None:
        """Other floors and arms from now on."""
        self._floors, self._arms = dict(floors), dict(arms)

    def of(self, name: str) -> Worker:
        """The worker of this name. Raises KeyError."""
        return self._workers[name]

    def ready(self) -> list[Worker]:
        """Those that take requests and are not ejected; if all are ejected, all that take requests."""
        ready = [worker for worker in self._workers.values() if worker.ready]
        return [worker for worker in ready if worker.health.usable()] or ready

    def slots(self) -> int:
        """Requests that all of them run at once for this proxy."""
        return sum(worker.slots for worker in self._workers.values() if worker.ready)

    def tiers(self) -> set[str]:
        """Those of all workers that take requests."""
        return {tier for worker in self._workers.values() if worker.ready for tier in worker.tiers}

    def stopping(self) -> int:
        """Requests that were cancelled and not ended yet: slots that will be free at once."""
        return sum(worker.stopping for worker in self._workers.values())

    def uniform(self, ready: list[Worker]) -> bool:
        """Whether any of `ready` can serve any request, so that order alone decides."""
        if self._arms or len({tier for worker in ready for tier in worker.tiers}) != 1:
            return False
        return all(worker.models == ready[0].models for worker in ready)

    def place(self, ask: Ask, waited: float, ready: list[Worker], least: str = "") -> Place | None:
        """Where `ask` goes, which has waited for `waited` seconds; None if none that may answer it has a credit.

        `least`: no smaller tier will do.
        """
        models = self._arms.get(ask.arm)
        if models:
            # An arm whose workers are all gone is served by the others: an experiment is no reason to go without.
            ready = [worker for worker in ready if worker.offers(models)] or ready
        offered = {tier for worker in ready for tier in worker.tiers}
        if ask.model:
            ready = [worker for worker in ready if worker.offers(frozenset({ask.model}))]
            offered = {model.tier for worker in ready for model in worker.models if model.name == ask.model}
        key = affinity_key(ask.tenant, ask.doc)
        for tier in at_least(least, offered) if least else acceptable(ask, waited, offered, self._floors):
            name = choose(key, [worker.candidate() for worker in ready if tier in worker.tiers])
            if name is not None:
                return Place(self._workers[name], tier, next_larger(tier, offered))
        return None
