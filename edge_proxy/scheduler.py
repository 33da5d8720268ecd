"""What happens to every request: order, supersession, attaching, cancelling, deadlines; pure, with an injected clock.

The scheduler neither knows sockets nor workers. Its methods change its state and note outcomes; `outcomes` hands them
over. Every request that was submitted gets exactly one `Finished`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from edge_proxy.endings import end_of
from edge_proxy.live_requests import LiveRequests
from edge_proxy.prediction import Predictor
from edge_proxy.requests import MS, Abort, Ask, Finished, Generation, Outcome, Request, Text, clip
from edge_proxy.waiting import WaitingLine
from wire_protocol.agreement import continuation, remaining
from wire_protocol.frames import MAX_TEXT, Done, DoneReason

MAX_PER_DOCUMENT: Final = 2
"""Live requests per document of a session: the oldest that still agrees and the newest (DESIGN.md, section 3)."""

MAX_SUBMITS: Final = 3
"""Workers one generation may be given to: beyond that the request itself is probably what kills them."""

DEFAULT_MAX_WAITING: Final = 1_024
"""Requests in line: more than any set of workers serves within `give_up_ms`; it bounds memory, not latency."""


class Scheduler:
    """All live requests of a proxy. `clock` gives monotonic seconds."""

    def __init__(
        self, clock: Callable[[], float], predictor: Predictor, max_waiting: int = DEFAULT_MAX_WAITING
    ) -> None:
        self._clock: Final = clock
        self._predictor: Final = predictor
        self._max_waiting: Final = max_waiting
        self._line = WaitingLine()
        self._live: Final = LiveRequests()
        self._outcomes: list[Outcome] = []
        self._arrivals = 0

    @property
    def live(self) -> int:
        """Requests without their end, waiting or running."""
        return len(self._live)

    @property
    def waiting(self) -> int:
        """Requests that no worker has."""
        return len(self._line)

    def live_of(self, session: int) -> int:
        """Requests of `session` without their end."""
        return self._live.count_of(session)

    def is_live(self, session: int, id: int) -> bool:
        """Whether `id` of `session` has not ended."""
        return self._live.has(session, id)

    def outcomes(self) -> list[Outcome]:
        """What happened since the last call, in order."""
        noted, self._outcomes = self._outcomes, []
        return noted

    # What clients do

    def submit(self, ask: Ask, supersedes: Iterable[int] = ()) -> None:
        """A new request: attaches to a generation it makes pointless but agrees with, or waits for a worker."""
        victims = self._live.named(ask.session, supersedes)
        generation = self._take_over(self._best_to_attach(ask, victims))
        for victim in victims:
            self._cancel(victim, "superseded")
        request = self._admit(ask)
        if not self._fits_document(request):
            if generation is not None:
                self._abandon(generation)
        elif generation is not None:
            self._attach(request, generation)
        else:
            self._wait(request)

    def refuse(self, ask: Ask, supersedes: Iterable[int], message: str, cause: str) -> None:
        """A new request that is shed at once; what it supersedes is pointless all the same."""
        for victim in self._live.named(ask.session, supersedes):
            self._cancel(victim, "superseded")
        self._shed(self._admit(ask), message, cause)

    def cancel(self, session: int, ids: Iterable[int]) -> None:
        """The client wants no more of these; unknown and finished ones are passed over."""
        for request in self._live.named(session, ids):
            self._cancel(request, "cancelled")

    def cancel_documents(self, session: int, docs: Iterable[str]) -> None:
        """These documents were closed."""
        for doc in docs:
            for request in self._live.of_document(session, doc):
                self._cancel(request, "cancelled")

    def drop_session(self, session: int) -> None:
        """The session has ended: nobody reads its answers."""
        for request in self._live.of_session(session):
            self._cancel(request, "session_ended")

    # What workers do

    def next_up(self) -> Request | None:
        """The request to be served next; those whose time is up are shed on the way."""
        now = self._clock()
        while len(self._line):
            request = self._line.first()
            if request.deadline > now:
                return request
            self._give_up(request)
        return None

    def start(self, request: Request, worker: str) -> Generation:
        """`request`, from `next_up`, goes to `worker`. A generation that lost its worker goes on where it was."""
        now = self._clock()
        self._line.remove(request)
        generation = request.generation
        if generation is None:
            generation = request.generation = Generation(ask=request.ask, seq=request.seq, reader=request)
        generation.worker = worker
        generation.submitted = now
        generation.first_text = None
        generation.submits += 1
        if request.started is None:
            request.started = now
        return generation

    def produced(self, generation: Generation, offset: int, text: str, tokens: int) -> None:
        """New text from the generation's present worker; `offset` in code points from that worker's start."""
        reader = generation.reader
        if reader is None:
            return
        if offset != len(generation.text) - generation.segment or len(generation.text) + len(text) > MAX_TEXT:
            self._end(reader, "error", "worker_fault", "The worker's answer had a gap or had no end.")
            return
        if generation.first_text is None and text:
            generation.first_text = self._clock()
            self._predictor.saw_first_token(generation.first_text - generation.submitted)
        part = clip(generation.text, text, reader.appended)
        generation.text += text
        generation.tokens += tokens
        if part.agrees:
            self._give(reader, part.text, tokens)
        else:
            self._detach(reader)

    def ended(self, generation: Generation, done: Done) -> None:
        """The generation's worker is through with it."""
        self._predictor.saw_end(self._clock() - generation.submitted)
        generation.worker = None
        reader = generation.reader
        if reader is None:
            return
        beyond = len(reader.appended) - len(generation.text)
        if done.reason == "cancelled":  # not by us: we would have no reader
            self._resume(reader, generation)
        elif beyond > 0 or (reader.attached and not reader.sent and done.reason in {"length", "shed", "error"}):
            # The generation ended before it had anything for who attached to it: that is no answer.
            self._detach(reader)
        else:
            self._end(reader, done.reason, f"worker_{done.reason}", done.message, done)

    def lost(self, generation: Generation) -> None:
        """The generation's worker is gone: it goes on elsewhere, after what was already streamed."""
        generation.worker = None
        if generation.reader is not None:
            self._resume(generation.reader, generation)

    # What time does

    def sweep(self, slots: int) -> None:
        """Shed what missed its deadline, and what waits and predictably will; `slots`: requests run at once."""
        now = self._clock()
        for request in self._live.expired(now):
            self._give_up(request)
        ahead = 0
        for request in list(self._line):
            if now + self._predictor.first_token(ahead, slots) > request.deadline:
                allowed = round(request.ask.give_up * MS)
                message = f"The queue is too long for an answer within the {allowed} ms that the request allows."
                self._shed(request, message, "predicted_miss")
            else:
                ahead += 1

    def shed_waiting(self, message: str, cause: str) -> None:
        """Nobody will serve what waits."""
        for request in list(self._line):
            self._shed(request, message, cause)

    def shed_all(self, message: str, cause: str) -> None:
        """Nobody will serve anything any more."""
        for request in self._live:
            self._shed(request, message, cause)

    def next_deadline(self) -> float | None:
        """When `sweep` has to run at the latest, on the clock; None while nothing is live."""
        return self._live.next_deadline()

    # Inside

    def _admit(self, ask: Ask) -> Request:
        now = self._clock()
        self._arrivals += 1
        request = Request(ask=ask, seq=self._arrivals, arrived=now, deadline=now + ask.give_up)
        self._live.add(request)
        return request

    def _best_to_attach(self, ask: Ask, victims: Iterable[Request]) -> Request | None:
        """Of the running ones that `ask` agrees with, the one that has most to give; of equals the oldest."""
        best: Request | None = None
        most = -1
        for victim in victims:
            left = self._left_for(ask, victim)
            if left is not None and len(left) > most:
                best, most = victim, len(left)
        return best

    @staticmethod
    def _take_over(request: Request | None) -> Generation | None:
        """The generation of `request`, which can then end without ending it."""
        if request is None:
            return None
        generation, request.generation = request.generation, None
        return generation

    @staticmethod
    def _left_for(ask: Ask, running: Request) -> str | None:
        """What the generation of `running` has produced for `ask` already; None if it cannot answer it."""
        generation = running.generation
        if generation is None or generation.worker is None or not generation.ask.same_shape(ask):
            return None
        appended = continuation(generation.ask.context, ask.context)
        return None if appended is None else remaining(generation.text, appended)

    def _attach(self, request: Request, generation: Generation) -> None:
        request.generation = generation
        request.attached = True
        request.started = request.arrived
        request.appended = request.ask.context.typed[len(generation.ask.context.typed) :]
        generation.reader = request
        self._give(request, generation.text[len(request.appended) :], generation.tokens)

    def _detach(self, reader: Request) -> None:
        """`reader` gets nothing from its generation: it waits for one of its own."""
        generation, reader.generation = reader.generation, None
        reader.attached = False
        reader.appended = ""
        if generation is not None:
            self._abandon(generation)
        self._wait(reader)

    def _abandon(self, generation: Generation) -> None:
        generation.reader = None
        if generation.worker is not None:
            self._outcomes.append(Abort(generation))

    def _resume(self, reader: Request, generation: Generation) -> None:
        if len(reader.appended) > len(generation.text):
            self._detach(reader)
        elif generation.tokens >= reader.ask.max_tokens:
            self._end(reader, "length", "worker_length")
        elif generation.submits >= MAX_SUBMITS:
            self._shed(reader, f"{MAX_SUBMITS} workers were lost during this request.", "workers_lost")
        else:
            generation.segment = len(generation.text)
            generation.earlier_tokens = generation.tokens
            self._wait(reader)

    def _fits_document(self, request: Request) -> bool:
        """Keep at most two live requests per document; False if `request` itself is the one too many."""
        ask = request.ask
        others = [held for held in self._live.of_document(ask.session, ask.doc) if held is not request]
        while len(others) >= MAX_PER_DOCUMENT:
            prefetches = [held for held in others if held.ask.kind == "prefetch"]
            if prefetches:
                victim = prefetches[0]
            elif ask.kind == "prefetch":
                self._cancel(request, "document_limit")
                return False
            else:
                agreeing = (held for held in others if self._left_for(ask, held) is not None)
                keep = next(agreeing, others[-1])
                victim = next(held for held in others if held is not keep)
            self._cancel(victim, "document_limit")
            others.remove(victim)
        return True

    def _wait(self, request: Request) -> None:
        self._line.add(request)
        if len(self._line) > self._max_waiting:
            self._shed(self._line.last(), f"{self._max_waiting} requests are waiting already.", "queue_full")

    def _give(self, reader: Request, text: str, tokens: int) -> None:
        if not text:
            return
        first = reader.first_text is None
        if first:
            reader.first_text = self._clock()
        self._outcomes.append(Text(reader, reader.sent, text, tokens, first))
        reader.sent += len(text)

    def _cancel(self, request: Request, cause: str) -> None:
        self._end(request, "cancelled", cause)

    def _shed(self, request: Request, message: str, cause: str) -> None:
        self._end(request, "shed", cause, message)

    def _give_up(self, request: Request) -> None:
        allowed = round(request.ask.give_up * MS)
        state = "was not complete" if request.sent else "did not begin"
        self._shed(request, f"The answer {state} within the {allowed} ms that the request allows.", "deadline")

    def _end(
        self, request: Request, reason: DoneReason, cause: str, message: str = "", worker: Done | None = None
    ) -> None:
        self._live.remove(request)
        if request in self._line:
            self._line.remove(request)
        generation = request.generation
        if generation is not None:
            self._abandon(generation)
        self._outcomes.append(Finished(request, end_of(request, self._clock(), reason, message, worker), cause))
