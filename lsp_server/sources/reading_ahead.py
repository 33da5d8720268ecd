"""What the local model reads while the person is idle, so that it is warm when it is needed; pure.

A prompt of which the model has already read all but the last words is answered in a few milliseconds; one of a
document that it has never seen takes as long as reading it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from lsp_server.sources.base import SourceRequest
from wire_protocol.frames import Context

IDLE_S: Final = 0.75
"""Quiet for so long after a request, a person reads or thinks; the gaps in a burst of typing are below 0.5 s."""
MAX_WARM: Final = 4
"""Documents that are warm at once: as many sequences the worker keeps beside those that run."""


class ReadingAhead:
    """Notes what is asked; says what to read next. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._noted: tuple[str, Context] | None = None
        self._since = 0.0
        self._warm: dict[str, int] = {}

    def note(self, doc: str, context: Context) -> None:
        """A person is, or will be, at `context`: not to be read before some quiet."""
        self._noted, self._since = (doc, context), self._clock()

    def answered(self, request: SourceRequest) -> None:
        """The local model answered `request`: it has read it."""
        self._mark(request.doc, request.context)

    def forget(self, doc: str) -> None:
        """The document was closed."""
        self._warm.pop(doc, None)
        if self._noted is not None and self._noted[0] == doc:
            self._noted = None

    def cold(self) -> None:
        """The model was started anew."""
        self._warm.clear()

    def due_in_s(self) -> float | None:
        """Seconds until there is something to read; None if there is nothing."""
        if self._noted is None or self._warm.get(self._noted[0]) == _surroundings(self._noted[1]):
            return None
        return max(0.0, self._since + IDLE_S - self._clock())

    def take(self) -> tuple[str, Context] | None:
        """What to read now; it counts as read."""
        due_s = self.due_in_s()
        if self._noted is None or due_s is None or due_s > 0:
            return None
        self._mark(*self._noted)
        return self._noted

    def interrupted(self, doc: str) -> None:
        """The reading of `doc` was broken off."""
        self._warm.pop(doc, None)

    def _mark(self, doc: str, context: Context) -> None:
        self._warm.pop(doc, None)
        self._warm[doc] = _surroundings(context)
        while len(self._warm) > MAX_WARM:
            del self._warm[next(iter(self._warm))]


def _surroundings(context: Context) -> int:
    """What a keystroke does not change: everything but what is typed."""
    snippets = tuple((snippet.path, snippet.text) for snippet in context.snippets)
    return hash((context.before, context.after, context.path, context.language, snippets))
