"""All requests without their end, found by session, by document and by deadline; pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import Final

from edge_proxy.requests import Request

_STALE_DEADLINES: Final = 64
"""Deadlines of finished requests that may lie about, beside one per live request, before the heap is built anew."""


class LiveRequests:
    """A request is added when it arrives and removed when it ends; every look-up is O(1), a deadline O(log n)."""

    def __init__(self) -> None:
        self._by_seq: dict[int, Request] = {}
        self._sessions: dict[int, dict[int, Request]] = {}
        self._documents: dict[tuple[int, str], list[Request]] = {}  # oldest first
        self._deadlines: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self._by_seq)

    def __iter__(self) -> Iterator[Request]:
        """Oldest first; a copy, so that they may end meanwhile."""
        return iter(list(self._by_seq.values()))

    def add(self, request: Request) -> None:
        """`request` has arrived; its id must be new in its session."""
        ask = request.ask
        if len(self._deadlines) > 2 * len(self._by_seq) + _STALE_DEADLINES:
            self._deadlines = [(live.deadline, live.seq) for live in self._by_seq.values()]
            heapq.heapify(self._deadlines)
        self._by_seq[request.seq] = request
        self._sessions.setdefault(ask.session, {})[ask.id] = request
        self._documents.setdefault((ask.session, ask.doc), []).append(request)
        heapq.heappush(self._deadlines, (request.deadline, request.seq))

    def remove(self, request: Request) -> None:
        """`request` has ended. Raises KeyError if it had before."""
        ask = request.ask
        del self._by_seq[request.seq]
        session = self._sessions[ask.session]
        del session[ask.id]
        if not session:
            del self._sessions[ask.session]
        document = self._documents[ask.session, ask.doc]
        document.remove(request)
        if not document:
            del self._documents[ask.session, ask.doc]

    def has(self, session: int, id: int) -> bool:
        """Whether `id` of `session` is live."""
        return id in self._sessions.get(session, ())

    def is_(self, request: Request) -> bool:
        """Whether `request` itself has not ended."""
        return self._by_seq.get(request.seq) is request

    def count_of(self, session: int) -> int:
        """How many of `session` are live."""
        return len(self._sessions.get(session, ()))

    def named(self, session: int, ids: Iterable[int]) -> list[Request]:
        """Those of `ids` that are live, each once."""
        live = self._sessions.get(session)
        if not live:
            return []
        return [live[id] for id in dict.fromkeys(ids) if id in live]

    def of_session(self, session: int) -> list[Request]:
        """All of `session`, oldest first."""
        return list(self._sessions.get(session, {}).values())

    def of_document(self, session: int, doc: str) -> list[Request]:
        """All for `doc` of `session`, oldest first."""
        return list(self._documents.get((session, doc), ()))

    def set_deadline(self, request: Request, at: float) -> None:
        """`request`, which is live, has another deadline from now on."""
        request.deadline = at
        heapq.heappush(self._deadlines, (at, request.seq))

    def expired(self, now: float) -> list[Request]:
        """Those whose deadline has come by `now`; each is given once."""
        late: dict[int, Request] = {}
        while self._deadlines and self._deadlines[0][0] <= now:
            _, seq = heapq.heappop(self._deadlines)
            request = self._by_seq.get(seq)
            if request is not None and request.deadline <= now:  # it may have been put off since
                late[seq] = request
        return list(late.values())

    def next_deadline(self) -> float | None:
        """The earliest one; None if nothing is live."""
        while self._deadlines and self._deadlines[0][1] not in self._by_seq:
            heapq.heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None
