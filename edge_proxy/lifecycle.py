"""A request from its arrival to its one end: in line, reading a generation, given text; pure, with an injected clock.

A generation is read by all requests that it answers and lives while one of them wants it. Whoever gets nothing from
it any more waits for a worker again, and if that one waited for several, another of them takes its place in the line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from edge_proxy.answer_cache import Hit
from edge_proxy.endings import end_of
from edge_proxy.escalation import ESCALATION_SECONDS, Escalation
from edge_proxy.in_flight import InFlight
from edge_proxy.live_requests import LiveRequests
from edge_proxy.prediction import Predictor
from edge_proxy.requests import (
    CLASSES,
    MS,
    Abort,
    Ask,
    Fallback,
    Finished,
    Generation,
    Outcome,
    Promoted,
    Request,
    Text,
)
from edge_proxy.waiting import Line
from wire_protocol.frames import Done, DoneReason


class Lifecycle:
    """`live`, `line` and `in_flight` are where requests and generations are found; it keeps them in step."""

    def __init__(
        self,
        clock: Callable[[], float],
        predictor: Predictor,
        line: Line,
        in_flight: InFlight,
        max_waiting: int,
        escalation: Escalation,
    ) -> None:
        self.live: Final = LiveRequests()
        self.line: Final = line
        self.outcomes: list[Outcome] = []
        """What happened, in order; whoever takes them empties the list."""
        self._clock: Final = clock
        self._predictor: Final = predictor
        self._in_flight: Final = in_flight
        self._max_waiting: Final = max_waiting
        self._escalation: Final = escalation
        self._arrivals = 0

    def admit(self, ask: Ask, base: bytes = b"") -> Request:
        """It has arrived."""
        now = self._clock()
        self._arrivals += 1
        request = Request(ask=ask, seq=self._arrivals, arrived=now, deadline=now + ask.give_up, base=base)
        self.live.add(request)
        return request

    def wait(self, request: Request) -> None:
        """It needs a worker. If the line is full, the last one is shed."""
        if request.started is None:
            self._predictor.arrived(CLASSES[request.ask.kind], request.arrived, request.ask.tenant)
        self.line.add(request)
        if len(self.line) > self._max_waiting:
            self.shed(self.line.last(), f"{self._max_waiting} requests are waiting already.", "queue_full")

    # Reading a generation

    def join(self, request: Request, generation: Generation) -> None:
        """It reads a generation under way; `catch_up` gives it what there is already."""
        request.generation = generation
        request.source = "attached"
        request.started = self._clock()
        if generation.ask.session == request.ask.session:
            request.appended = request.ask.context.typed[len(generation.ask.context.typed) :]
        generation.readers.append(request)
        request.holds = holds_back(request, generation)
        if CLASSES[request.ask.kind] < CLASSES[generation.kind]:
            generation.kind = request.ask.kind
            self.outcomes.append(Promoted(generation, request))

    def catch_up(self, request: Request, generation: Generation) -> None:
        """Give `request` what there is for it and was not given yet, if it does not hold it back."""
        if not request.holds:
            self.give(request, generation.text[len(request.appended) + request.sent :], generation.tokens)

    def detach(self, reader: Request) -> None:
        """It gets nothing from its generation: it waits for one of its own."""
        self.leave(reader)
        reader.generation = None
        reader.source = "worker"
        reader.appended = ""
        reader.holds = False
        self.wait(reader)

    def leave(self, reader: Request) -> None:
        """It wants no more of its generation, which dies with its last reader."""
        generation = reader.generation
        if generation is None or reader not in generation.readers:
            return
        generation.readers.remove(reader)
        if not generation.readers:
            self._in_flight.discard(generation)
            if generation.worker is not None:
                self.outcomes.append(Abort(generation))
        elif generation.worker is None and not any(other in self.line for other in generation.readers):
            self.wait(generation.readers[0])  # in the place of who waited for all of them

    def give(self, reader: Request, text: str, tokens: int) -> None:
        """New text of its answer."""
        if not text:
            return
        first = reader.first_text is None
        if first:
            reader.first_text = self._clock()
            if reader.fallback is not None:  # the larger model speaks: it may take its time
                self.live.set_deadline(reader, reader.fallback.deadline)
                reader.fallback = None
        self.outcomes.append(Text(reader, reader.sent, text, tokens, first))
        reader.sent += len(text)

    # Escalation

    def escalate(self, request: Request, text: str, done: Done, larger: str) -> None:
        """It waits for the tier `larger` now; `text`, the whole answer that ended by `done`, is what it falls back on.

        It has left the line and its generation.
        """
        request.fallback = Fallback(text=text, done=done, deadline=request.deadline)
        request.least = larger
        request.generation = None
        request.source = "worker"
        request.appended = ""
        self.live.set_deadline(request, min(request.deadline, self._clock() + ESCALATION_SECONDS))
        self.wait(request)

    def fall_back(self, request: Request, fallback: Fallback) -> None:
        """No better answer came in time."""
        self.leave(request)
        request.generation = None
        request.fallback = None
        self.give(request, fallback.text, fallback.done.usage.generated_tokens)
        self.end(request, fallback.done.reason, "escalation_missed", worker=fallback.done)

    # Its end

    def answer(self, request: Request, hit: Hit, cause: str = "cache") -> None:
        """From the cache, unless somebody who asked by hand is better served by a larger model.

        `cause` tells the metrics from which cache.
        """
        answer = hit.answer
        done = Done(
            id=request.ask.id,
            reason=answer.reason,
            model=answer.model,
            mean_logprob=answer.mean_logprob,
            first_logprob=answer.first_logprob,
        )
        left = request.deadline - self._clock()
        if self._escalation.goes_on(request.ask, hit.text, answer.mean_logprob, answer.larger, left):
            self.escalate(request, hit.text, done, answer.larger)
            return
        request.source = "cache"
        request.started = request.started or self._clock()
        self.give(request, hit.text, answer.tokens)
        self.end(request, answer.reason, "near_match" if hit.near else cause, worker=done)

    def cancel(self, request: Request, cause: str) -> None:
        """Nobody wants it any more."""
        self.end(request, "cancelled", cause)

    def shed(self, request: Request, message: str, cause: str) -> None:
        """It will not be answered, but by what it can fall back on."""
        if request.fallback is not None:
            self.fall_back(request, request.fallback)
        else:
            self.end(request, "shed", cause, message)

    def give_up(self, request: Request) -> None:
        """It has missed its deadline."""
        allowed = round(request.ask.give_up * MS)
        state = "was not complete" if request.sent else "did not begin"
        self.shed(request, f"The answer {state} within the {allowed} ms that the request allows.", "deadline")

    def end(
        self, request: Request, reason: DoneReason, cause: str, message: str = "", worker: Done | None = None
    ) -> None:
        """Its one end; `worker` is the worker's own `done`, where it was the worker that ended it."""
        self.live.remove(request)
        if request in self.line:
            self.line.remove(request)
            if reason == "cancelled" and request.started is None:
                self._predictor.withdrawn(CLASSES[request.ask.kind], self._clock(), request.ask.tenant)
        self.leave(request)
        self.outcomes.append(Finished(request, end_of(request, self._clock(), reason, message, worker), cause))


def holds_back(reader: Request, generation: Generation) -> bool:
    """Whether `reader` gets text only when it is known how sure the model was: a larger one may be asked instead."""
    return reader.ask.kind == "invoked" and bool(generation.larger) and not reader.least and not reader.sent
