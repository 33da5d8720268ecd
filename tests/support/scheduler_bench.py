"""A scheduler with shorthand for what a dispatcher does with it, for tests."""

from __future__ import annotations

from typing import Any

from edge_proxy.prediction import Predictor
from edge_proxy.requests import Abort, Ask, Finished, Generation, Promoted, Text
from edge_proxy.scheduler import Scheduler
from wire_protocol.frames import Context, Done


class Bench:
    """Notes what became of every request."""

    def __init__(self, clock: Any, **options: Any) -> None:
        self.clock = clock
        self.predictor = Predictor()
        self.scheduler = Scheduler(clock, self.predictor, **options)
        self.texts: dict[int, str] = {}
        self.ends: dict[int, Done] = {}
        self.causes: dict[int, str] = {}
        self.aborted: list[Generation] = []
        self.promoted: list[tuple[Generation, int]] = []

    def ask(self, id: int, typed: str = "", supersedes: tuple[int, ...] = (), **fields: Any) -> None:
        whole = {"session": 1, "tenant": "t", "doc": f"doc-{id}", "give_up": 2.0, **fields}
        context = whole.pop("context", Context(before=f"{whole['doc']} = ", typed=typed, after="\n"))
        self.scheduler.submit(Ask(id=id, context=context, **whole), supersedes)
        self.note()

    def start(self, worker: str = "w") -> Generation:
        request = self.scheduler.next_up()
        self.note()
        assert request is not None
        return self.scheduler.generations.start(request, worker)

    def order(self) -> list[int]:
        started = []
        while self.scheduler.waiting:
            started.append(self.start().ask.id)
        return started

    def produce(self, generation: Generation, text: str, tokens: int = 1) -> None:
        self.scheduler.generations.produced(generation, len(generation.text) - generation.segment, text, tokens)
        self.note()

    def end(self, generation: Generation, reason: Any = "stop", **fields: Any) -> None:
        self.scheduler.generations.ended(generation, Done(id=7, reason=reason, **fields))
        self.note()

    def note(self) -> None:
        for outcome in self.scheduler.outcomes():
            match outcome:
                case Text(request, offset, text):
                    assert offset == len(self.texts.get(request.ask.id, ""))
                    self.texts[request.ask.id] = self.texts.get(request.ask.id, "") + text
                case Finished(request, done, cause):
                    assert request.ask.id not in self.ends, "a second end"
                    self.ends[request.ask.id] = done
                    self.causes[request.ask.id] = cause
                case Abort(generation):
                    self.aborted.append(generation)
                case Promoted(generation, reader):
                    self.promoted.append((generation, reader.ask.id))

    def reasons(self) -> dict[int, str]:
        return {id: done.reason for id, done in self.ends.items()}

    def lose(self, generation: Generation) -> None:
        self.scheduler.generations.lost(generation)
        self.note()

    def cancel(self, id: int, session: int = 1) -> None:
        self.scheduler.cancel(session, [id])
        self.note()

    def sweep(self, slots: int = 1) -> None:
        self.scheduler.sweep(slots)
        self.note()
