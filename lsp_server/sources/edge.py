"""The edge as a source: one session with the nearest of the configured proxies that answers."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from typing import Final

from lsp_server.sources.connection import ConnectedSource
from lsp_server.sources.edge_choice import EdgeChoice
from lsp_server.sources.edge_dialect import EdgeDialect
from lsp_server.sources.handshake import DialError, Opened
from lsp_server.sources.outward import Outward
from lsp_server.sources.reach import OPEN_TIMEOUT_S, Reach
from lsp_server.sources.wire import Wire, WireClosedError

STAGGER_S: Final = 0.25
"""The next address is tried after this long without an answer, or at once after a failure (RFC 8305, section 5)."""
FIRST_MEASURE_S: Final = 5.0
"""After connecting, the other edges are measured: soon, but not among the first keys."""
MEASURE_EVERY_S: Final = 60.0
"""While suggestions are asked for; three in a row must say the same before anything happens."""
PINGS: Final = 3
"""The least of so many round trips counts."""
PING_S: Final = 2.0


class EdgeDialer:
    """Tries the addresses as `EdgeChoice` orders them, each a moment after the one before; the first welcome wins."""

    def __init__(
        self,
        urls: Sequence[str],
        token: str,
        outward: Outward | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.choice: Final = EdgeChoice(urls, clock)
        self._reach: Final = Reach(token, outward or Outward(), clock)

    async def dial(self) -> Opened:
        """A session with the first proxy that welcomes one. Raises DialError if none does."""
        order = self.choice.order()
        running: dict[asyncio.Task[Opened], str] = {}
        errors: dict[str, DialError] = {}
        try:
            while order or running:
                if order:
                    url = order.pop(0)
                    running[asyncio.create_task(self._reach.open(url), name="foretype dial")] = url
                done, _ = await asyncio.wait(
                    running, timeout=STAGGER_S if order else None, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    url = running.pop(task)
                    error = task.exception()
                    if error is None:
                        self.choice.uses(url)
                        return task.result()
                    if not isinstance(error, DialError):
                        raise error
                    errors[url] = error
                    self.choice.failed(url)
        finally:
            await _drop(running)
        raise _all_failed([errors[url] for url in errors])

    async def measure(self, url: str) -> None:
        """Open a session with `url`, take its round trip, close it."""
        try:
            opened = await self._reach.open(url)
        except DialError:
            self.choice.failed(url)
            return
        try:
            await self.measure_wire(url, opened.wire)
        finally:
            opened.wire.abort()

    async def measure_wire(self, url: str, wire: Wire) -> None:
        """Take the round trip over an open connection."""
        try:
            async with asyncio.timeout(PING_S):
                self.choice.measured(url, min([await wire.ping() for _ in range(PINGS)]))
        except (TimeoutError, WireClosedError):
            if url != self.choice.current:
                self.choice.failed(url)

    def moved(self) -> None:
        """The proxy in use is about to leave or was lost: begin with another."""
        if self.choice.current is not None:
            self.choice.failed(self.choice.current)

    def elsewhere(self) -> bool:
        """The network is another one: a dial that is under way may hang in the one that is no more."""
        self.choice.forget()
        self._reach.forget()
        return True

    async def close(self) -> None:
        """Nothing to release."""


async def _drop(running: dict[asyncio.Task[Opened], str]) -> None:
    """End the tries that lost, and the sessions of those that were welcomed too late."""
    for task in running:
        task.cancel()
    for result in await asyncio.gather(*running, return_exceptions=True):
        if isinstance(result, Opened):
            result.wire.abort()


def _all_failed(errors: Sequence[DialError]) -> DialError:
    pauses = [error.pause_s for error in errors]
    # One that may be back soon sets the pace; only if all want a long pause, the shortest of them is kept.
    pause = min((pause for pause in pauses if pause is not None), default=None) if None not in pauses else None
    return DialError(" ".join(str(error) for error in errors), pause)


class EdgeSource(ConnectedSource):
    """Completions from an edge proxy over `foretype.v1`. `urls` must not be empty."""

    def __init__(
        self,
        urls: Sequence[str],
        token: str = "",
        outward: Outward | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[], float] = random.random,
    ) -> None:
        if not urls:
            raise ValueError("an edge source needs at least one address")
        self._edges: Final = EdgeDialer(urls, token, outward, clock)
        super().__init__("edge", self._edges, EdgeDialect, clock=clock, uniform=uniform)
        self._several: Final = len(urls) > 1
        self._measurer: asyncio.Task[None] | None = None
        self._used_since = asyncio.Event()
        """Whether a completion was wanted since the last measurement: an idle machine measures nothing."""

    async def start(self) -> None:
        """Begin connecting, and measuring if there is a choice."""
        await super().start()
        if self._several and self._measurer is None:
            self._measurer = asyncio.create_task(self._measure(), name="foretype edges")

    async def close(self) -> None:
        """Close the connection."""
        if self._measurer is not None:
            self._measurer.cancel()
            await asyncio.gather(self._measurer, return_exceptions=True)
        await super().close()

    def wake(self) -> None:
        """A completion is wanted."""
        self._used_since.set()
        super().wake()

    async def _measure(self) -> None:
        pause_s = FIRST_MEASURE_S
        while True:
            await asyncio.sleep(pause_s)
            await self._used_since.wait()
            self._used_since.clear()
            await self.measure_once()
            pause_s = MEASURE_EVERY_S * (0.5 + self._uniform())  # not all clients at once

    async def measure_once(self) -> None:
        """Measure every edge, and move if another is clearly nearer."""
        choice, link = self._edges.choice, self.link
        if link is None or choice.current is None:
            return
        await self._edges.measure_wire(choice.current, link.wire)
        for url in choice.others():
            await self._edges.measure(url)
        better = choice.move_to()
        if better is not None and self.link is link:
            choice.prefer(better)
            link.leave(f"{better.partition('?')[0]} is nearer")


__all__ = ["OPEN_TIMEOUT_S", "EdgeDialer", "EdgeSource"]
