"""What the completer keeps of one document while it is open."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, ParamSpec

from lsp_server.anchor import Anchor
from lsp_server.generation import Flights
from lsp_server.keys import Keys
from lsp_server.prefetch import Place
from lsp_server.shown import Shown
from lsp_server.trust import Trials
from wire_protocol.frames import Context

P = ParamSpec("P")

ANSWER_FIRST_S: Final = 0.005
"""Seconds that an answer has to be on its way to the editor before more work is done for it."""

KEPT_PREFETCHES: Final = 8
"""Prefetched places whose use can still be told."""

MAX_UNASKED: Final = 64
"""Changes without a request of the editor after which it is not taken for one that asks by itself."""


@dataclass(eq=False, slots=True)
class Asker:
    """A request that waits: woken when a generation gets on or it is overtaken."""

    wake: asyncio.Event = field(default_factory=asyncio.Event)
    superseded: bool = False

    def supersede(self) -> None:
        """A newer request took its place."""
        self.superseded = True
        self.wake.set()


@dataclass(frozen=True, slots=True)
class Prefetched:
    """A prefetch that came to its end."""

    place: Place
    text: str
    tokens: int


@dataclass(eq=False, slots=True)
class OpenDocument:
    """`key` is what may leave the machine of its URI."""

    key: str
    anchor: Anchor = field(default_factory=Anchor)
    keys: Keys = field(default_factory=Keys)
    flights: Flights = field(default_factory=Flights)
    shown: Shown = field(default_factory=Shown)
    trials: Trials = field(default_factory=Trials)
    askers: dict[str, Asker] = field(default_factory=dict)
    context: Context | None = None
    """Of the cursor that was looked at last."""
    cursor: int | None = None
    """That cursor, in code points of the document; None if the context holds more than stands before it."""
    followed: Place | None = None
    """The place after the text that is shown, once what follows it was asked for."""
    asked_at: float | None = None
    """When the last generation that a person waits for began, in clock seconds."""
    revalidated: tuple[str, float] | None = None
    """The stale text that was asked for anew last, and when it was generated."""
    prefetched: deque[Prefetched] = field(default_factory=lambda: deque(maxlen=KEPT_PREFETCHES))
    unasked: int = MAX_UNASKED
    """Changes since the editor last asked by itself."""
    later: asyncio.TimerHandle | None = None
    """What is to be done once the last answer is on its way."""
    told: str = ""
    """The last refusal that was logged: each is said once."""

    @property
    def asks_by_itself(self) -> bool:
        """Whether the editor wants suggestions without being told to each time."""
        return self.unasked < MAX_UNASKED

    def once_answered(self, work: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Do `work` when the answer that is just being given is on its way, in place of what was to be done before."""
        self.forget_later()
        loop = asyncio.get_running_loop()
        self.later = loop.call_later(ANSWER_FIRST_S, lambda: work(*args, **kwargs))

    def forget_later(self) -> None:
        """Do nothing later."""
        if self.later is not None:
            self.later.cancel()
            self.later = None

    def wake(self) -> None:
        """Something changed for those that wait."""
        for asker in self.askers.values():
            asker.wake.set()
