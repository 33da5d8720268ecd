"""What answers a request without a worker of its own: answers kept, and generations under way; pure."""

from __future__ import annotations

from typing import Final

from edge_proxy.answer_cache import AnswerCache, Hit
from edge_proxy.in_flight import InFlight
from edge_proxy.near_match.cache import NearMatches
from edge_proxy.requests import Answer, Ask, Generation, Request
from wire_protocol.frames import Done


class Reach:
    """Cache, generations under way, near matches, looked through in this order; without a `cache` nothing is kept."""

    def __init__(self, cache: AnswerCache | None, near: NearMatches | None = None) -> None:
        self._cache: Final = cache
        self._near: Final = near
        self.in_flight: Final = InFlight()
        self._changes = 0
        """How often an answer came into reach: into the cache or under way."""

    def find(self, request: Request) -> Hit | Generation | None:
        """What answers `request` now."""
        request.looked = self._changes
        if self._cache is not None:
            hit = self._cache.find(request.base, request.ask)
            if hit is not None:
                return hit
        generation = self.in_flight.find(request.base, request.ask)
        if generation is None and self._near is not None:
            return self._near.find(request.ask)
        return generation

    def find_again(self, request: Request) -> Hit | Generation | None:
        """What came into reach since `request` was last looked for, if that answers it."""
        return None if request.looked == self._changes else self.find(request)

    def started(self, generation: Generation) -> None:
        """A worker has it now."""
        self.in_flight.add(generation)
        self._changes += 1

    def finished(self, generation: Generation, done: Done) -> Answer | None:
        """Its worker is through with it; the answer, if it is kept."""
        if self._cache is None:
            return None
        made = generation
        answer = self._cache.put(made.base, made.ask, made.text, made.tokens, done, made.larger)
        if answer is not None:
            self._changes += 1
            if self._near is not None:
                self._near.keep(made.ask, answer)
        return answer

    def found(self, base: bytes, ask: Ask, answer: Answer) -> None:
        """Another cache has the exact answer to `ask`."""
        if self._cache is not None and self._cache.keep(base, ask, answer):
            self._changes += 1
