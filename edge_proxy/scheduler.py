"""What happens to every request: order, supersession, attaching, cancelling, deadlines; pure, with an injected clock.

The scheduler neither knows sockets nor workers. Its methods change its state and note outcomes; `outcomes` hands them
over. Every request that was submitted gets exactly one `Finished`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from edge_proxy.answer_cache import AnswerCache, Hit
from edge_proxy.cache_keys import base_key
from edge_proxy.endings import end_of
from edge_proxy.in_flight import InFlight, left_for
from edge_proxy.live_requests import LiveRequests
from edge_proxy.prediction import MIN_CHANCE, Predictor
from edge_proxy.requests import (
    CLASSES,
    MS,
    Abort,
    Answer,
    Ask,
    Finished,
    Generation,
    Kept,
    Outcome,
    Request,
    Text,
    clip,
)
from edge_proxy.waiting import FairLine, Line
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
        self,
        clock: Callable[[], float],
        predictor: Predictor,
        max_waiting: int = DEFAULT_MAX_WAITING,
        line: Line | None = None,
        cache: AnswerCache | None = None,
    ) -> None:
        """`line` is the order of service, newest first and fair if not given; without a `cache` nothing is kept."""
        self._clock: Final = clock
        self._predictor: Final = predictor
        self._max_waiting: Final = max_waiting
        self._line: Final[Line] = FairLine() if line is None else line
        self._cache: Final = cache
        self._live: Final = LiveRequests()
        self._in_flight: Final = InFlight()
        self._changes = 0
        """How often an answer came into reach: into the cache or under way."""
        self._silent_prefetches: dict[int, Generation] = {}
        """Prefetches that a worker has and that have produced nothing, the latest started last."""
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
        """A new request: answered from the cache, or by a generation under way, or it waits for a worker."""
        victims = self._live.named(ask.session, supersedes)
        request = self._admit(ask, base_key(ask))
        hit = None if self._cache is None else self._cache.find(request.base, ask)
        generation = None if hit is not None else self._in_flight.find(request.base, ask)
        if generation is not None:
            self._join(request, generation)  # before the victims leave it, so that it lives on
        for victim in victims:
            self._cancel(victim, "superseded")
        if hit is not None:
            self._answer(request, hit)
        elif self._fits_document(request):
            if generation is None:
                self._wait(request)
            else:
                self._catch_up(request, generation)

    def unanswered(self, session: int, id: int) -> Request | None:
        """The live request of this name, if it has had no text yet."""
        return next((request for request in self._live.named(session, [id]) if not request.sent), None)

    def found(self, request: Request, answer: Answer) -> None:
        """Another cache has the exact answer to `request`: it needs no worker, if it has had no text yet."""
        if self._cache is not None and self._cache.keep(request.base, request.ask, answer):
            self._changes += 1
        if request.sent or not self._live.is_(request):
            return
        if request in self._line:
            self._line.remove(request)
        self._leave(request)
        request.generation = None
        self._answer(request, Hit(answer.text, answer))

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

    def next_up(self, takes: Callable[[Request], bool] | None = None) -> Request | None:
        """The request to be served next, of those that `takes` accepts; what needs no worker ends on the way."""
        now = self._clock()
        while len(self._line):
            request = self._line.first() if takes is None else next(filter(takes, self._line), None)
            if request is None:
                return None
            if request.deadline <= now:
                self._give_up(request)
            elif request.generation is not None or not self._answered_meanwhile(request):
                return request
        return None

    def start(self, request: Request, worker: str) -> Generation:
        """`request`, from `next_up`, goes to `worker`. A generation that lost its worker goes on where it was."""
        now = self._clock()
        self._line.serve(request)
        generation = request.generation
        if generation is None:
            generation = request.generation = Generation(
                ask=request.ask, seq=request.seq, base=request.base, readers=[request]
            )
            if request.ask.kind == "prefetch":
                self._silent_prefetches[generation.seq] = generation
        generation.worker = worker
        generation.submitted = now
        generation.first_text = None
        generation.submits += 1
        for reader in generation.readers:
            if reader.started is None:
                reader.started = now
        self._in_flight.add(generation)
        self._changes += 1
        return generation

    def urgent(self) -> int:
        """Requests that no worker has and that somebody waits for."""
        return self._line.urgent()

    def preempt(self) -> bool:
        """Take the latest prefetch that has produced nothing from its worker; False if there is none.

        It goes back to its place in the line. Before the first byte nothing is lost but a part of its prefill, which
        the worker's KV cache keeps.
        """
        while self._silent_prefetches:
            _, generation = self._silent_prefetches.popitem()
            if all(reader.ask.kind == "prefetch" for reader in generation.readers):
                for reader in tuple(generation.readers):
                    self._detach(reader)
                return True
        return False

    def produced(self, generation: Generation, offset: int, text: str, tokens: int) -> None:
        """New text from the generation's present worker; `offset` in code points from that worker's start."""
        if not generation.readers:
            return
        before = generation.text
        if offset != len(before) - generation.segment or len(before) + len(text) > MAX_TEXT:
            for reader in tuple(generation.readers):
                self._end(reader, "error", "worker_fault", "The worker's answer had a gap or had no end.")
            return
        if generation.first_text is None and text:
            generation.first_text = self._clock()
            self._predictor.saw_first_token(generation.first_text - generation.submitted)
            self._silent_prefetches.pop(generation.seq, None)
        generation.text = before + text
        generation.tokens += tokens
        for reader in tuple(generation.readers):
            if not reader.appended:
                self._give(reader, text, tokens)
                continue
            part = clip(before, text, reader.appended)
            if part.agrees:
                self._give(reader, part.text, tokens)
            else:
                self._detach(reader)

    def ended(self, generation: Generation, done: Done) -> None:
        """The generation's worker is through with it."""
        self._predictor.saw_end(self._clock() - generation.submitted)
        readers = self._off_worker(generation)
        if not readers:
            return
        if done.reason == "cancelled":  # not by us: nobody would read it
            self._resume(readers, generation)
            return
        if self._cache is not None:
            answer = self._cache.put(generation.base, generation.ask, generation.text, generation.tokens, done)
            if answer is not None:
                self._changes += 1
                self._outcomes.append(Kept(generation.base, generation.ask, answer))
        for reader in readers:
            beyond = len(reader.appended) - len(generation.text)
            attached = reader.source == "attached"
            if beyond > 0 or (attached and not reader.sent and done.reason in {"length", "shed", "error"}):
                # The generation ended before it had anything for who attached to it: that is no answer.
                self._detach(reader)
            else:
                self._end(reader, done.reason, f"worker_{done.reason}", done.message, done)

    def lost(self, generation: Generation) -> None:
        """The generation's worker is gone: it goes on elsewhere, after what was already streamed."""
        self._resume(self._off_worker(generation), generation)

    # What time does

    def sweep(self, slots: int) -> None:
        """Shed what missed its deadline, and what waits and predictably will; `slots`: requests run at once."""
        now = self._clock()
        for request in self._live.expired(now):
            self._give_up(request)
        if not len(self._line):
            return
        chances = self._predictor.chances(slots, now)
        ahead: dict[str, int] = {}
        for request in list(self._line):
            tenant = request.ask.tenant
            before = ahead.get(tenant, 0)
            share = self._line.share(tenant)
            if chances.of(before, CLASSES[request.ask.kind], request.deadline - now, tenant, share) < MIN_CHANCE:
                allowed = round(request.ask.give_up * MS)
                message = f"The queue is too long for an answer within the {allowed} ms that the request allows."
                self._shed(request, message, "predicted_miss")
            else:
                ahead[tenant] = before + 1

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

    def _admit(self, ask: Ask, base: bytes = b"") -> Request:
        now = self._clock()
        self._arrivals += 1
        request = Request(ask=ask, seq=self._arrivals, arrived=now, deadline=now + ask.give_up, base=base)
        self._live.add(request)
        request.looked = self._changes
        return request

    # Answers that need no worker of their own

    def _answered_meanwhile(self, request: Request) -> bool:
        """Whether what came into reach while `request` waited answers it: then it has left the line."""
        if request.looked == self._changes:
            return False
        request.looked = self._changes
        hit = None if self._cache is None else self._cache.find(request.base, request.ask)
        generation = None if hit is not None else self._in_flight.find(request.base, request.ask)
        if hit is None and generation is None:
            return False
        self._line.remove(request)
        if hit is not None:
            self._answer(request, hit)
        elif generation is not None:
            self._join(request, generation)
            self._catch_up(request, generation)
        return True

    def _answer(self, request: Request, hit: Hit) -> None:
        """From the cache."""
        answer = hit.answer
        request.source = "cache"
        request.started = request.started or self._clock()
        self._give(request, hit.text, answer.tokens)
        done = Done(
            id=request.ask.id,
            reason=answer.reason,
            model=answer.model,
            mean_logprob=answer.mean_logprob,
            first_logprob=answer.first_logprob,
        )
        self._end(request, answer.reason, "cache", worker=done)

    def _join(self, request: Request, generation: Generation) -> None:
        request.generation = generation
        request.source = "attached"
        request.started = self._clock()
        if generation.ask.session == request.ask.session:
            request.appended = request.ask.context.typed[len(generation.ask.context.typed) :]
        generation.readers.append(request)

    def _catch_up(self, request: Request, generation: Generation) -> None:
        """Give `request`, which has just joined, what there is for it."""
        self._give(request, generation.text[len(request.appended) :], generation.tokens)

    def _detach(self, reader: Request) -> None:
        """`reader` gets nothing from its generation: it waits for one of its own."""
        self._leave(reader)
        reader.generation = None
        reader.source = "worker"
        reader.appended = ""
        self._wait(reader)

    def _leave(self, reader: Request) -> None:
        """`reader` wants no more of its generation, which dies with its last reader."""
        generation = reader.generation
        if generation is None or reader not in generation.readers:
            return
        generation.readers.remove(reader)
        if not generation.readers:
            self._in_flight.discard(generation)
            self._silent_prefetches.pop(generation.seq, None)
            if generation.worker is not None:
                self._outcomes.append(Abort(generation))
        elif generation.worker is None and not any(other in self._line for other in generation.readers):
            self._wait(generation.readers[0])  # in the place of who waited for all of them

    def _off_worker(self, generation: Generation) -> list[Request]:
        """The generation has no worker any more; the readers it had."""
        self._in_flight.discard(generation)
        self._silent_prefetches.pop(generation.seq, None)
        generation.worker = None
        readers, generation.readers = generation.readers, []
        return readers

    def _resume(self, readers: Iterable[Request], generation: Generation) -> None:
        """Go on with another worker for `readers`, the first of whom waits for all."""
        for reader in readers:
            if len(reader.appended) > len(generation.text):
                self._detach(reader)
            elif generation.tokens >= reader.ask.max_tokens:
                self._end(reader, "length", "worker_length")
            elif generation.submits >= MAX_SUBMITS:
                self._shed(reader, f"{MAX_SUBMITS} workers were lost during this request.", "workers_lost")
            else:
                generation.readers.append(reader)
        if generation.readers:
            generation.segment = len(generation.text)
            generation.earlier_tokens = generation.tokens
            self._wait(min(generation.readers, key=lambda reader: CLASSES[reader.ask.kind]))

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
                agreeing = (held for held in others if held.generation and left_for(ask, held.generation) is not None)
                keep = next(agreeing, others[-1])
                victim = next(held for held in others if held is not keep)
            self._cancel(victim, "document_limit")
            others.remove(victim)
        return True

    def _wait(self, request: Request) -> None:
        if request.started is None:
            self._predictor.arrived(CLASSES[request.ask.kind], request.arrived, request.ask.tenant)
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
            if reason == "cancelled" and request.started is None:
                self._predictor.withdrawn(CLASSES[request.ask.kind], self._clock(), request.ask.tenant)
        self._leave(request)
        self._outcomes.append(Finished(request, end_of(request, self._clock(), reason, message, worker), cause))
