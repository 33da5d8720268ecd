"""Notices callers who hang up: aiohttp tells no handler, so one timer looks at all transports in use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from edge_proxy.ports import CallLater

LOOK_SECONDS: Final = 0.02
"""Between two looks: a hundredth of what a cancelled completion would still take."""


class Leaving(Protocol):
    """The part of asyncio.Transport that is needed."""

    def is_closing(self) -> bool: ...


class Departures:
    """`call_later` is the event loop's; while nobody is watched no timer runs."""

    def __init__(self, call_later: CallLater) -> None:
        self._call_later: Final = call_later
        self._watched: Final[dict[int, tuple[Leaving, Callable[[], None]]]] = {}
        self._looking = False

    def watch(self, number: int, transport: asyncio.Transport | Leaving, gone: Callable[[], None]) -> None:
        """Call `gone` once, as soon as `transport` is closing; `number` names it for `forget`."""
        self._watched[number] = (transport, gone)
        if not self._looking:
            self._looking = True
            self._call_later(LOOK_SECONDS, self._look)

    def forget(self, number: int) -> None:
        """Nobody needs to know any more."""
        self._watched.pop(number, None)

    def _look(self) -> None:
        for number, (transport, gone) in list(self._watched.items()):
            if transport.is_closing():
                del self._watched[number]
                gone()
        self._looking = bool(self._watched)
        if self._looking:
            self._call_later(LOOK_SECONDS, self._look)
