"""What the proxy knows of one worker: its credits, what it runs, and the frames that wait to be written to it; pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from edge_proxy.breaker import Breaker
from edge_proxy.requests import Generation, Request
from edge_proxy.router import Candidate
from edge_proxy.submission import promote_frame, submit_frame
from edge_proxy.tiers import Tier
from wire_protocol.frames import MAX_IDS, Cancel, ModelInfo, Promote, Stats, Submit


class Worker:
    """One worker, connected or not. `wake` is called when frames begin to wait; `health` says whether to use it."""

    def __init__(self, name: str, wake: Callable[[], None], health: Breaker) -> None:
        self.name: Final = name
        self.health: Final = health
        self._wake: Final = wake
        self._next_id = 0
        self._submits: list[Submit] = []
        self._cancels: list[int] = []
        self._promotions: list[Promote] = []
        self._stopping: set[int] = set()
        self.connected = False
        self.granted = False
        """Whether this connection was ever granted a credit: before, the worker has not said that it can work."""
        self.leaving = False
        self.credits = 0
        self.running: dict[int, Generation] = {}
        self.stats = Stats()
        self.models: tuple[ModelInfo, ...] = ()
        self.tiers: frozenset[Tier] = frozenset({"small"})
        """Tiers of its models; one that names no model counts as small."""

    @property
    def ready(self) -> bool:
        """Whether it takes requests, now or when a credit comes."""
        return self.connected and self.granted and not self.leaving

    @property
    def slots(self) -> int:
        """How many requests it runs at once for this proxy."""
        return len(self.running) + max(0, self.credits)

    @property
    def stopping(self) -> int:
        """Requests it was told to stop and has not ended yet."""
        return len(self._stopping)

    def candidate(self) -> Candidate:
        """What the router looks at."""
        return Candidate(self.name, self.credits, len(self.running), self.stats.waiting, self.stats.kv_use)

    def offers(self, models: frozenset[str]) -> bool:
        """Whether it has one of these models."""
        return any(model.name in models for model in self.models)

    def connect(self, models: tuple[ModelInfo, ...]) -> None:
        """A fresh connection: it starts without credits."""
        self.connected, self.granted, self.leaving = True, False, False
        self.credits = 0
        self.models = models
        self.tiers = frozenset(model.tier for model in models) or frozenset({"small"})
        self.stats = Stats()
        self._submits, self._cancels, self._promotions = [], [], []

    def disconnect(self) -> list[Generation]:
        """The connection is gone: all generations it had, oldest first."""
        lost = list(self.running.values())
        self.running = {}
        self.connected = self.granted = False
        self.credits = 0
        self._submits, self._cancels, self._promotions = [], [], []
        self._stopping.clear()
        return lost

    def grant(self, credits: int) -> None:
        """The worker changes how many more it takes."""
        self.credits += credits
        self.granted = self.granted or credits > 0

    def submit(self, generation: Generation, request: Request, now: float) -> None:
        """Give it a generation, at the price of a credit."""
        self._next_id += 1
        generation.worker_id = self._next_id
        self.running[self._next_id] = generation
        self.credits -= 1
        self.health.used()
        self._submits.append(submit_frame(generation, request, self._next_id, now))
        self._wake()

    def ended(self, id: int) -> Generation | None:
        """It is through with a submit; None if it does not owe it."""
        self._stopping.discard(id)
        return self.running.pop(id, None)

    def cancel(self, generation: Generation) -> None:
        """Tell it to stop a generation; its slot is free only when it says `done`."""
        self._cancels.append(generation.worker_id)
        self._stopping.add(generation.worker_id)
        self._wake()

    def promote(self, generation: Generation, reader: Request, now: float) -> None:
        """Tell it that somebody of a more urgent class reads a generation that it has."""
        self._promotions.append(promote_frame(generation, reader, now))
        self._wake()

    def take_frames(self) -> list[Submit | Cancel | Promote]:
        """What waits to be written: cancels first, so that they make room for the submits."""
        submits, self._submits = self._submits, []
        ids, self._cancels = self._cancels, []
        promotions, self._promotions = self._promotions, []
        waiting = {submit.id for submit in submits}
        # A submit and its own cancel in one turn keep their order: a worker ignores a cancel of what it does not know.
        early = [id for id in ids if id not in waiting]
        late = [id for id in ids if id in waiting]
        return [*_cancels(early), *submits, *promotions, *_cancels(late)]


def _cancels(ids: list[int]) -> list[Cancel]:
    return [Cancel(ids=ids[start : start + MAX_IDS]) for start in range(0, len(ids), MAX_IDS)]
