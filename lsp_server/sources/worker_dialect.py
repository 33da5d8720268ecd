"""How the local worker is asked: `submit` with full contexts, only as many as it has given credit for; pure.

Requests beyond the credit wait here, where they can still be dropped: invoked before automatic before prefetch,
newest first inside a kind.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from lsp_server.sources.base import Ended, SourceName, SourceRequest
from lsp_server.sources.session import Arriving, DialectFrame, Live, Reaction
from wire_protocol.codec import decode_to_proxy
from wire_protocol.frames import Cancel, Credit, Forget, Kind, Submit

MAX_WAITING: Final = 16
"""Requests held for credit: a few documents' newest; the oldest beyond that is shed."""

_URGENCY: Final[dict[Kind, int]] = {"invoked": 0, "automatic": 1, "prefetch": 2}
_CLASS_WIDTH: Final = 2**50
"""Distance between the priorities of two kinds: more microseconds than a machine runs (35 years)."""


def priority(kind: Kind, asked_at: float) -> int:
    """Lower runs first: by kind, then newest first, over all windows that share the worker.

    `asked_at` is in seconds of the machine's monotonic clock, which all processes share; ids are each editor's own.
    """
    return _URGENCY[kind] * _CLASS_WIDTH - int(asked_at * 1_000_000)


class WorkerDialect:
    """One connection to a worker."""

    name: SourceName = "local"

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._balance = 0
        self._waiting: dict[int, Submit] = {}

    def decode(self, data: bytes) -> Arriving:
        """The frame in `data`. Raises ProtocolError."""
        return decode_to_proxy(data)

    def ask(self, request: SourceRequest, live: Live) -> Reaction:
        """Submit now or hold for credit; what it supersedes is dropped or cancelled first."""
        reaction = Reaction()
        running: list[int] = []
        for id in request.supersedes:
            if self._waiting.pop(id, None) is not None:
                reaction.events.append((id, Ended("cancelled", self.name)))
            elif id in live:
                running.append(id)
        if running:
            reaction.send.append(Cancel(ids=running))
        self._waiting[request.id] = _submit(request, priority(request.kind, self._clock()))
        if len(self._waiting) > MAX_WAITING:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            reaction.events.append((oldest, Ended("shed", self.name, message="The local model is busy.")))
        self._submit_affordable(reaction)
        return reaction

    def cancel(self, id: int) -> Reaction:
        """Drop a waiting request silently, or cancel a submitted one in-band."""
        if self._waiting.pop(id, None) is not None:
            return Reaction()
        return Reaction(send=[Cancel(ids=[id])])

    def forget(self, doc: str) -> Reaction:
        """The worker may drop the document's KV cache."""
        return Reaction(send=[Forget(docs=[doc])])

    def receive(self, frame: DialectFrame, live: Live) -> Reaction:
        """`credit` lets waiting requests go; `stats` are for proxies."""
        reaction = Reaction()
        if isinstance(frame, Credit):
            self._balance += frame.grant
            self._submit_affordable(reaction)
        return reaction

    def _submit_affordable(self, reaction: Reaction) -> None:
        while self._balance > 0 and self._waiting:
            submit = min(self._waiting.values(), key=lambda submit: (submit.priority, -submit.id))
            del self._waiting[submit.id]
            self._balance -= 1
            reaction.send.append(submit)


def _submit(request: SourceRequest, priority: int) -> Submit:
    return Submit(
        id=request.id,
        doc=request.doc,
        context=request.context,
        max_tokens=request.max_tokens,
        lines=request.lines,
        stop=list(request.stop),
        kind=request.kind,
        priority=priority,
        objective_ms=request.objective_ms,
        give_up_ms=request.give_up_ms,
    )
