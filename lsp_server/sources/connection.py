"""A source behind a connection that is kept open: dials, serves, and dials again when it is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Final, Protocol

from lsp_server.sources.base import (
    Ended,
    Piece,
    SourceName,
    SourceRequest,
    SourceState,
    SourceStatus,
    SourceUnavailableError,
)
from lsp_server.sources.handshake import DialError, Opened
from lsp_server.sources.latency import LatencyWindow
from lsp_server.sources.link import Events, Link, Lost
from lsp_server.sources.session import Dialect
from wire_protocol.backoff import Backoff

log = logging.getLogger(__name__)

FIRST_WAIT_S: Final = 0.25
"""Bound of the first wait, in seconds: a restarted proxy is back within about that."""
LONGEST_WAIT_S: Final = 30.0
"""Largest bound: an edge that is away for hours costs a try every 15 s on average."""
STABLE_S: Final = 5.0
"""A connection that held this long was good: after it, the backoff begins anew."""
PATIENT_S: Final = 2.0
"""Waits longer than this end early when a completion is wanted: whoever types gets the peer back within this time, and
an idle machine does not dial every two seconds for nothing."""
FAULT_PAUSE_S: Final = 30.0
CLOSE_TIMEOUT_S: Final = 1.0
_GRACE_MS: Final = 250
"""Past its `give_up_ms`, a request waits this much longer for the peer's own `done shed`."""


class Dialer(Protocol):
    """Opens sessions with one kind of peer."""

    async def dial(self) -> Opened:
        """A welcomed session. Raises DialError."""
        ...

    def moved(self) -> None:
        """The peer that answered last is about to leave: prefer another."""
        ...

    async def close(self) -> None:
        """Nothing will be dialled any more."""
        ...


class ConnectedSource:
    """A `Source` over a `Dialer`. `dialect` makes the state of one new connection."""

    def __init__(
        self,
        name: SourceName,
        dialer: Dialer,
        dialect: Callable[[], Dialect],
        *,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[], float] = random.random,
    ) -> None:
        self._name: Final = name
        self._dialer = dialer
        self._dialect = dialect
        self._clock = clock
        self._backoff = Backoff(uniform, FIRST_WAIT_S, LONGEST_WAIT_S)
        self._state: SourceState = "off"
        self._detail = "Not started."
        self._link: Link | None = None
        self._settled = asyncio.Event()
        """Set while `generate` has nothing to wait for: connected, or known to be down."""
        self._wanted = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._links: dict[asyncio.Task[DialError], Link] = {}
        self._first_token = LatencyWindow()
        self._closing = False

    @property
    def state(self) -> SourceState:
        """As in `statuses`; a link that ended a moment ago is not ready any more."""
        ended = self._link is not None and self._link.ended
        return "connecting" if ended and self._state == "ready" else self._state

    @property
    def heard_at(self) -> float | None:
        """When the peer was last heard of, by this source's clock, in seconds; None if it is not connected."""
        return None if self._link is None else self._link.heard_at

    @property
    def first_token(self) -> LatencyWindow:
        """Recent times to first token, in seconds."""
        return self._first_token

    async def start(self) -> None:
        """Begin connecting in the background."""
        if self._keeper is None:
            self._set("connecting", "Connecting.")
            self._keeper = asyncio.create_task(self._keep(), name=f"foretype {self._name} source")

    async def close(self) -> None:
        """Close the connection; running generations end with `Ended("cancelled")`."""
        self._closing = True
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        for link in self._links.values():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await link.say_goodbye()
        tasks = list(self._links)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._link = None
        self._set("off", "Closed.")
        await self._dialer.close()

    def wake(self) -> None:
        """A completion is wanted: if the next try to connect is far off, try soon."""
        self._wanted.set()

    def forget(self, doc: str) -> None:
        """The document was closed."""
        if self._link is not None:
            self._link.forget(doc)

    def statuses(self) -> list[SourceStatus]:
        """This source's state."""
        return [SourceStatus(self._name, self.state, self._detail, self._first_token.median_ms())]

    async def generate(self, request: SourceRequest) -> AsyncGenerator[Piece | Ended, None]:
        """Stream the answer; see `Source.generate`."""
        self.wake()
        asked_at = self._clock()
        link = await self._connected(request.give_up_ms)
        if link.full:
            raise SourceUnavailableError(f"{link.address} takes no more requests at once.")
        request = _less_waited(request, self._clock() - asked_at)
        sent_at = self._clock()
        queue = link.open(request)
        produced = False
        try:
            while True:
                event = await self._next(queue, sent_at + (request.give_up_ms + _GRACE_MS) / 1_000)
                if isinstance(event, Lost):
                    if self._closing:
                        yield Ended("cancelled", self._name)
                        return
                    if not produced:
                        raise SourceUnavailableError(event.sentence)
                    yield Ended("error", self._name, message=event.sentence)
                    return
                if isinstance(event, Piece) and not produced:
                    produced = True
                    if request.kind != "prefetch":  # it waits behind everybody's requests
                        self._first_token.add(self._clock() - sent_at)
                yield event
                if isinstance(event, Ended):
                    return
        finally:
            link.cancel(request.id)

    async def _next(self, queue: Events, deadline: float) -> Piece | Ended | Lost:
        try:
            async with asyncio.timeout(max(0.0, deadline - self._clock())):
                return await queue.get()
        except TimeoutError:
            return Lost(f"The {self._name} source did not answer in time.")

    async def _connected(self, give_up_ms: int) -> Link:
        """The link to use, waiting for it while the source is starting. Raises SourceUnavailableError."""
        if self.state == "connecting":
            self._settled.clear()  # set again by whatever the keeper finds next
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(give_up_ms / 1_000):
                    await self._settled.wait()
        if self._link is None or self._link.ended:
            raise SourceUnavailableError(self._detail)
        return self._link

    def _set(self, state: SourceState, detail: str) -> None:
        if (state, detail) != (self._state, self._detail):
            level = logging.WARNING if state == "failed" else logging.INFO
            log.log(level, "%s source %s: %s", self._name, state, detail)
        self._state, self._detail = state, detail
        if state == "connecting":
            self._settled.clear()
        else:
            self._settled.set()

    async def _keep(self) -> None:
        """Keep one link open, for ever."""
        while True:
            try:
                opened = await self._dialer.dial()
            except DialError as error:
                self._set("failed", str(error))
                await self._pause(error)
                continue
            except Exception:
                # A fault of ours: it must be seen, and must not leave the editor without this source for ever.
                log.exception("the %s source failed to connect", self._name)
                self._set("failed", f"The {self._name} source failed; the log says more.")
                await self._pause(DialError("fault", FAULT_PAUSE_S))
                continue
            opened_at = self._clock()
            why = await self._serve(Link(opened, self._dialect(), self._clock))
            self._link = None
            stable = self._clock() - opened_at >= STABLE_S
            if stable:
                self._backoff.reset()
            if why is None:
                self._dialer.moved()
                self._set("connecting", f"{opened.address} is leaving; connecting again.")
                if stable:
                    continue
                why = DialError(f"{opened.address} left.")
            elif why.pause_s is not None:
                self._set("failed", str(why))
            else:
                self._set("connecting", str(why))
            await self._pause(why)

    async def _serve(self, link: Link) -> DialError | None:
        """Use `link` until it ends, and return why; or until its peer is leaving, and return None."""
        run = asyncio.create_task(link.run(), name=f"foretype {self._name} link")
        leaving = asyncio.create_task(link.leaving.wait())
        self._links[run] = link
        run.add_done_callback(lambda task: self._links.pop(task, None))
        self._link = link
        self._set("ready", f"Connected to {link.address}.")
        try:
            await asyncio.wait([run, leaving], return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
        if run.done():
            return run.result()
        return None

    async def _pause(self, error: DialError) -> None:
        if error.pause_s is not None:
            await asyncio.sleep(error.pause_s)
            return
        wait_s = self._backoff.next_s()
        self._wanted.clear()
        await asyncio.sleep(min(wait_s, PATIENT_S))
        if wait_s > PATIENT_S:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s - PATIENT_S):
                    await self._wanted.wait()


def _less_waited(request: SourceRequest, waited_s: float) -> SourceRequest:
    """`request` with what was spent waiting for the connection taken from its budgets."""
    waited_ms = int(waited_s * 1_000)
    if waited_ms == 0:
        return request
    return replace(
        request,
        objective_ms=max(0, request.objective_ms - waited_ms),
        give_up_ms=max(0, request.give_up_ms - waited_ms),
    )
