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
from lsp_server.sources.effort import FULL, Effort
from lsp_server.sources.handshake import DialError, Opened
from lsp_server.sources.latency import LatencyWindow
from lsp_server.sources.link import AWAKE_SIGN_S, Events, Link, Lost
from lsp_server.sources.route import outgoing_addresses
from lsp_server.sources.session import Dialect
from lsp_server.sources.vigil import watch
from lsp_server.sources.waking import Waking
from wire_protocol.backoff import Backoff
from wire_protocol.frames import AnyFrame

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
        """The peer that answered last is about to leave, or was lost: prefer another."""
        ...

    def elsewhere(self) -> bool:
        """The machine slept or is in another network: what was learnt of the way to the peer is void.

        Whether a dial that is under way is void, too.
        """
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
        wall: Callable[[], float] = time.time,
        route: Callable[[], tuple[str, ...]] = outgoing_addresses,
    ) -> None:
        self._name: Final = name
        self._dialer = dialer
        self._dialect = dialect
        self._clock = clock
        self._uniform = uniform
        self._waking = Waking(clock, wall)
        self._route = route
        self._backoff = Backoff(uniform, FIRST_WAIT_S, LONGEST_WAIT_S)
        self._state: SourceState = "off"
        self._detail = "Not started."
        self._link: Link | None = None
        self._settled = asyncio.Event()
        """Set while `generate` has nothing to wait for: connected, or known to be down."""
        self._wanted = asyncio.Event()
        self._hurry = asyncio.Event()
        """Set when the wait for the next try is to end at once."""
        self._redial = asyncio.Event()
        """Set when the dial that is under way is to be given up for a new one."""
        self._keeper: asyncio.Task[None] | None = None
        self._watcher: asyncio.Task[None] | None = None
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
    def effort(self) -> Effort:
        """How much this source may be asked for."""
        return FULL

    @property
    def link(self) -> Link | None:
        """The connection in use."""
        return self._link

    @property
    def first_token(self) -> LatencyWindow:
        """Recent times to first token, in seconds."""
        return self._first_token

    async def start(self) -> None:
        """Begin connecting in the background."""
        if self._keeper is None:
            self._set("connecting", "Connecting.")
            self._keeper = asyncio.create_task(self._keep(), name=f"foretype {self._name} source")
            self._watcher = asyncio.create_task(
                watch(self._waking, self._route, self.refresh), name=f"foretype {self._name} watch"
            )

    async def close(self) -> None:
        """Close the connection; running generations end with `Ended("cancelled")`."""
        self._closing = True
        for background in (self._watcher, self._keeper):
            if background is not None:
                background.cancel()
                await asyncio.gather(background, return_exceptions=True)
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

    def refresh(self, why: str) -> None:
        """The machine slept or is in another network: see at once whether the peer is still there, or dial at once."""
        log.info("%s source: %s; looking whether the connection still holds", self._name, why)
        void = self._dialer.elsewhere()
        self._backoff.reset()
        if self._link is not None and not self._link.ended:
            self._link.check(AWAKE_SIGN_S)
        else:
            self._hurry.set()
            if void:
                self._redial.set()

    def forget(self, doc: str) -> None:
        """The document was closed."""
        if self._link is not None:
            self._link.forget(doc)

    def tell(self, frame: AnyFrame) -> bool:
        """Send a frame that has no answer; False if nobody is connected."""
        if self._link is None or self._link.ended:
            return False
        self._link.send(frame)
        return True

    def statuses(self) -> list[SourceStatus]:
        """This source's state."""
        known = [] if self._link is None else self._link.welcome.models
        # Of several models the least: which of them is asked is not known before it answers.
        tokens = min((model.context_tokens for model in known if model.context_tokens), default=0)
        return [SourceStatus(self._name, self.state, self._detail, self._first_token.median_ms(), tokens)]

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
            self._hurry.clear()
            self._redial.clear()
            try:
                opened = await self._dialed()
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
            if opened is None:
                continue
            opened_at = self._clock()
            link = Link(opened, self._dialect(), self._clock)
            why = await self._serve(link)
            self._link = None
            if not link.left:
                self._dialer.moved()
            stable = self._clock() - opened_at >= STABLE_S
            if stable:
                self._backoff.reset()
            if why is None:
                self._set("connecting", f"{opened.address} is leaving; connecting again.")
                if stable:
                    continue
                why = DialError(f"{opened.address} left.")
            elif why.pause_s is not None:
                self._set("failed", str(why))
            else:
                self._set("connecting", str(why))
            await self._pause(why)

    async def _dialed(self) -> Opened | None:
        """A session; None to dial anew at once, for what was under way may hang in a network that is no more."""
        dial = asyncio.create_task(self._dialer.dial(), name=f"foretype {self._name} dial")
        redial = asyncio.create_task(self._redial.wait())
        try:
            await asyncio.wait([dial, redial], return_when=asyncio.FIRST_COMPLETED)
        finally:
            redial.cancel()
            if not dial.done():
                dial.cancel()
                await asyncio.gather(dial, return_exceptions=True)
        return None if dial.cancelled() else dial.result()

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
        wait_s = self._backoff.next_s() if error.pause_s is None else error.pause_s
        self._wanted.clear()
        sure_s = min(wait_s, PATIENT_S) if error.pause_s is None else wait_s
        if not await _within(sure_s, self._hurry) and wait_s > sure_s:
            await _within(wait_s - sure_s, self._hurry, self._wanted)


async def _within(seconds: float, *events: asyncio.Event) -> bool:
    """Wait for the first of `events`; False if none came in time."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        done, _ = await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return bool(done)


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
