"""What clients and time do to requests: order, supersession, attaching, cancelling, deadlines; pure, injected clock.

The scheduler neither knows sockets nor workers. Its methods change its state and note outcomes; `outcomes` hands them
over. Every request that was submitted gets exactly one `Finished`. What workers do goes to its `generations`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final

from edge_proxy.answer_cache import AnswerCache, Hit
from edge_proxy.cache_keys import base_key
from edge_proxy.document_limit import crowded_out
from edge_proxy.escalation import Escalation
from edge_proxy.generations import Generations
from edge_proxy.lifecycle import Lifecycle
from edge_proxy.near_match.cache import NearMatches
from edge_proxy.prediction import MIN_CHANCE, Predictor
from edge_proxy.reach import Reach
from edge_proxy.requests import CLASSES, MS, Answer, Ask, Outcome, Request
from edge_proxy.waiting import FairLine, Line

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
        escalation: Escalation | None = None,
        near: NearMatches | None = None,
    ) -> None:
        """`line` is the order of service, newest first and fair if not given; without a `cache` nothing is kept.

        `near` finds answers to contexts that are nearly the same, if that is wanted.
        """
        escalation = escalation or Escalation()
        self._clock: Final = clock
        self._predictor: Final = predictor
        self._line: Final[Line] = FairLine() if line is None else line
        self._reach: Final = Reach(cache, near)
        self._lives: Final = Lifecycle(clock, predictor, self._line, self._reach.in_flight, max_waiting, escalation)
        self._live: Final = self._lives.live
        self.generations: Final = Generations(clock, predictor, self._lives, self._reach, escalation)

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

    def urgent(self) -> int:
        """Requests that no worker has and that somebody waits for."""
        return self._line.urgent()

    def outcomes(self) -> list[Outcome]:
        """What happened since the last call, in order."""
        noted, self._lives.outcomes = self._lives.outcomes, []
        return noted

    # What clients do

    def submit(self, ask: Ask, supersedes: Iterable[int] = ()) -> None:
        """A new request: answered from the cache, or by a generation under way, or it waits for a worker."""
        victims = self._live.named(ask.session, supersedes)
        request = self._lives.admit(ask, base_key(ask))
        found = self._reach.find(request)
        hit = found if isinstance(found, Hit) else None
        generation = None if isinstance(found, Hit) else found
        if generation is not None:
            self._lives.join(request, generation)  # before the victims leave it, so that it lives on
        for victim in victims:
            self._lives.cancel(victim, "superseded")
        if hit is not None:
            self._lives.answer(request, hit)
        elif self._fits_document(request):
            if generation is None:
                self._lives.wait(request)
            else:
                self._lives.catch_up(request, generation)

    def unanswered(self, session: int, id: int) -> Request | None:
        """The live request of this name, if it has had no text yet."""
        return next((request for request in self._live.named(session, [id]) if not request.sent), None)

    def found(self, request: Request, answer: Answer) -> None:
        """Another cache has the exact answer to `request`: it needs no worker, if it has had no text yet."""
        self._reach.found(request.base, request.ask, answer)
        if request.sent or not self._live.is_(request):
            return
        if request in self._line:
            self._line.remove(request)
        self._lives.leave(request)
        request.generation = None
        self._lives.answer(request, Hit(answer.text, answer), "redis")

    def refuse(self, ask: Ask, supersedes: Iterable[int], message: str, cause: str) -> None:
        """A new request that is shed at once; what it supersedes is pointless all the same."""
        for victim in self._live.named(ask.session, supersedes):
            self._lives.cancel(victim, "superseded")
        self._lives.shed(self._lives.admit(ask), message, cause)

    def cancel(self, session: int, ids: Iterable[int]) -> None:
        """The client wants no more of these; unknown and finished ones are passed over."""
        for request in self._live.named(session, ids):
            self._lives.cancel(request, "cancelled")

    def cancel_documents(self, session: int, docs: Iterable[str]) -> None:
        """These documents were closed."""
        for doc in docs:
            for request in self._live.of_document(session, doc):
                self._lives.cancel(request, "cancelled")

    def drop_session(self, session: int) -> None:
        """The session has ended: nobody reads its answers."""
        for request in self._live.of_session(session):
            self._lives.cancel(request, "session_ended")

    # What workers ask for

    def next_up(self, takes: Callable[[Request], bool] | None = None) -> Request | None:
        """The request to be served next, of those that `takes` accepts; what needs no worker ends on the way."""
        now = self._clock()
        while len(self._line):
            request = self._line.first() if takes is None else next(filter(takes, self._line), None)
            if request is None:
                return None
            if request.deadline <= now:
                self._lives.give_up(request)
            elif request.generation is not None or request.least or not self._answered_meanwhile(request):
                return request
        return None

    # What time does

    def sweep(self, slots: int, tiers: Collection[str] | None = None) -> None:
        """Shed what missed its deadline, and what waits and predictably will.

        `slots`: requests that run at once; `tiers`: those connected, if that is known.
        """
        now = self._clock()
        for request in self._live.expired(now):
            self._lives.give_up(request)
        if not len(self._line):
            return
        if tiers is not None:
            for request in list(self._line):
                if request.fallback is not None and request.least not in tiers:
                    self._lives.fall_back(request, request.fallback)
        for request in self.hopeless(slots):
            allowed = round(request.ask.give_up * MS)
            message = f"The queue is too long for an answer within the {allowed} ms that the request allows."
            self._lives.shed(request, message, "predicted_miss")

    def hopeless(self, slots: int) -> list[Request]:
        """Those that wait and predictably get nothing in time, while the others wait on."""
        now = self._clock()
        chances = self._predictor.chances(slots, now)
        ahead: dict[str, int] = {}
        found = []
        for request in self._line:
            tenant = request.ask.tenant
            before = ahead.get(tenant, 0)
            share = self._line.share(tenant)
            if chances.of(before, CLASSES[request.ask.kind], request.deadline - now, tenant, share) < MIN_CHANCE:
                found.append(request)
            else:
                ahead[tenant] = before + 1
        return found

    def shed_waiting(self, message: str, cause: str) -> None:
        """Nobody will serve what waits."""
        for request in list(self._line):
            self._lives.shed(request, message, cause)

    def shed_all(self, message: str, cause: str) -> None:
        """Nobody will serve anything any more."""
        for request in self._live:
            self._lives.shed(request, message, cause)

    def next_deadline(self) -> float | None:
        """When `sweep` has to run at the latest, on the clock; None while nothing is live."""
        return self._live.next_deadline()

    # Inside

    def _answered_meanwhile(self, request: Request) -> bool:
        """Whether what came into reach while `request` waited answers it: then it has left the line."""
        found = self._reach.find_again(request)
        if found is None:
            return False
        self._line.remove(request)
        if isinstance(found, Hit):
            self._lives.answer(request, found)
        else:
            self._lives.join(request, found)
            self._lives.catch_up(request, found)
        return True

    def _fits_document(self, request: Request) -> bool:
        """Keep a document's live requests within their limit; False if `request` itself is the one too many."""
        held = self._live.of_document(request.ask.session, request.ask.doc)
        victims = crowded_out(request.ask, [other for other in held if other is not request])
        if victims is None:
            self._lives.cancel(request, "document_limit")
            return False
        for victim in victims:
            self._lives.cancel(victim, "document_limit")
        return True
