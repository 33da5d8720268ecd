"""Where outcomes go: text and ends to sessions, aborts to workers, answers to the shared cache; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from edge_proxy.fleet import Fleet
from edge_proxy.ports import SharedCache, Sink
from edge_proxy.requests import Abort, Finished, Generation, Kept, Outcome, Promoted, Text
from edge_proxy.telemetry.observer import Observer

SILENT_SECONDS: Final = 1.0
"""A worker that had a request for so long and said nothing has failed it: no prefill takes that long."""


class Delivery:
    """`clock` gives monotonic seconds."""

    def __init__(
        self, clock: Callable[[], float], observer: Observer, fleet: Fleet, shared: SharedCache | None
    ) -> None:
        self._clock: Final = clock
        self._observer: Final = observer
        self._fleet: Final = fleet
        self._shared: Final = shared
        self._sinks: dict[int, Sink] = {}

    def open(self, session: int, sink: Sink) -> None:
        """The answers of `session` go to `sink` from now on."""
        self._sinks[session] = sink

    def close(self, session: int) -> None:
        """The answers of `session` go nowhere any more."""
        self._sinks.pop(session, None)

    def deliver(self, outcomes: Iterable[Outcome]) -> None:
        """All of them, in order."""
        for outcome in outcomes:
            match outcome:
                case Text():
                    self._text(outcome)
                case Finished():
                    self._end(outcome)
                case Abort(generation):
                    if generation.worker is not None:
                        self._fleet.of(generation.worker).cancel(generation)
                case Promoted(generation, reader):
                    if generation.worker is not None:
                        self._fleet.of(generation.worker).promote(generation, reader, self._clock())
                case Kept(base, ask, answer):
                    if self._shared is not None:
                        self._shared.keep(base, ask, answer)

    def _text(self, outcome: Text) -> None:
        request = outcome.request
        self._observer.text(outcome)
        sink = self._sinks.get(request.ask.session)
        if sink is not None:
            sink.text(request.ask.id, outcome.offset, outcome.text, outcome.tokens, now=outcome.first)

    def _end(self, outcome: Finished) -> None:
        request, done = outcome.request, outcome.done
        if request.ask.account is not None:
            request.ask.account.ended()
        self._observer.finished(outcome)
        generation = request.generation
        if outcome.cause == "deadline" and generation is not None and generation.worker is not None:
            self._note_silence(generation, generation.worker)
        sink = self._sinks.get(request.ask.session)
        if sink is not None:
            sink.done(done)

    def _note_silence(self, generation: Generation, worker: str) -> None:
        if generation.first_text is None and self._clock() - generation.submitted >= SILENT_SECONDS:
            self._fleet.of(worker).health.failed()
