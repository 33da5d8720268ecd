"""The HTTP surface: `/v1/session`, `/healthz`, `/readyz`; further doors are `stream`, `openai_door`, `operations`."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from aiohttp import WSCloseCode, WSMsgType, hdrs, web

from edge_proxy import browsers
from edge_proxy.answer_cache import AnswerCache
from edge_proxy.arms import arm_of
from edge_proxy.auth import Authenticator
from edge_proxy.config import CacheSettings, Config
from edge_proxy.context_budget import ContextBudget
from edge_proxy.dispatch import DRAINING, Dispatcher
from edge_proxy.errors import StartError
from edge_proxy.fleet import Fleet
from edge_proxy.flushing import Flusher
from edge_proxy.key_wait import with_keys
from edge_proxy.links import WorkerLinks
from edge_proxy.metrics import Metrics
from edge_proxy.near_match.cache import NearMatches
from edge_proxy.openai_door.departures import Departures
from edge_proxy.openai_door.door import ONLY, OpenAiDoor
from edge_proxy.operations import Operations
from edge_proxy.outgoing import Outgoing
from edge_proxy.prediction import Predictor
from edge_proxy.requests import MS
from edge_proxy.scheduler import Scheduler
from edge_proxy.session import CLOSE_POLICY, HEARTBEAT_SECONDS, Close, Edge, Session
from edge_proxy.sockets import set_nodelay
from edge_proxy.stream import HARD_FACTOR, Connection, Streams
from edge_proxy.telemetry.scrape import Sources
from edge_proxy.tenancy.accounts import Accounts
from edge_proxy.tenancy.live_sessions import LiveSessions
from edge_proxy.waiting import FairLine, Line
from edge_proxy.worker_link import WorkerLink
from wire_protocol.addresses import SESSION_PATH
from wire_protocol.backoff import Backoff
from wire_protocol.frames import SUBPROTOCOL, Error, GoAway

if TYPE_CHECKING:
    from edge_proxy.second_level import RedisLevel

SHORTEST_WAIT: Final = 0.02
"""Seconds before a worker is tried again at the earliest: one that restarts on this machine is missed no longer."""
FIRST_WAIT: Final = 0.1
LONGEST_WAIT: Final = 10.0
"""Bounds in seconds of the first and of the later waits: how late a worker that came back is noticed at worst."""
HELLO_SECONDS: Final = 10.0
"""A connection that has not said hello by then is closed."""
CLOSE_SECONDS: Final = 2.0
"""How long a client may take to answer a close."""


class EdgeApp:
    """One proxy in one event loop. Create it inside the loop it runs in."""

    def __init__(
        self,
        config: Config,
        authenticator: Authenticator,
        worker_token: str = "",
        draw: Callable[[], float] = random.random,
        line: Line | None = None,
        secret: bytes = b"",
        worker_tls: ssl.SSLContext | None = None,
    ) -> None:
        """`draw` gives uniform numbers in [0, 1) for the jitter of reconnects; `line` is another order of service.

        `secret` encrypts what lies in the shared cache. Raises StartError if that cannot be used.
        `worker_tls` is for connections to workers over TLS, if not the system's usual rules.
        """
        loop = asyncio.get_running_loop()
        self.metrics: Final = Metrics()
        self._config = config
        self.accounts: Final = Accounts(config.tenants, time.monotonic, time.time)
        self.live: Final = LiveSessions(time.time, authenticator.skew)
        self._predictor: Final = Predictor()
        self._contexts: Final = ContextBudget(config.limits.total_context_bytes)
        self._cache: Final = (
            AnswerCache(time.monotonic, config.cache.bytes, config.cache.seconds) if config.cache.bytes else None
        )
        self._shared: Final = _shared_cache(config, secret, self.metrics) if config.redis.url else None
        order = line if line is not None else FairLine(lambda tenant: self._config.weights.get(tenant, 1.0))
        scheduler = Scheduler(
            time.monotonic,
            self._predictor,
            config.limits.waiting,
            order,
            self._cache,
            config.escalation,
            _near_matches(config.cache),
        )
        fleet = self._fleet = Fleet()
        self._operations: Final = Operations(config, self.metrics)
        self.dispatcher: Final = Dispatcher(
            time.monotonic, loop.call_later, scheduler, self.metrics, fleet, self._shared, self._operations.observer
        )
        self._operations.attach(
            Sources(self.dispatcher, self._operations.observer, self._cache, self._contexts, time.monotonic)
        )
        self._shares: dict[str, float] = {}
        self._links: Final = WorkerLinks(
            config.workers,
            self.dispatcher,
            lambda address: WorkerLink(
                address,
                worker_token,
                self.dispatcher,
                self.metrics,
                Backoff(draw, FIRST_WAIT, LONGEST_WAIT, SHORTEST_WAIT),
                time.monotonic,
                worker_tls,
            ),
        )
        self._numbers: Final = itertools.count(1)
        self._sessions: dict[int, Connection] = {}
        self._handlers: dict[int, asyncio.Task[object]] = {}
        """What serves each WebSocket."""
        self._closing: Final[set[asyncio.Future[object]]] = set()
        self._edge: Final = Edge(
            clock=time.monotonic,  # the loop's own has a resolution of 1 ms under uvloop
            call_later=loop.call_later,
            dispatcher=self.dispatcher,
            authenticator=authenticator,
            accounts=self.accounts,
            live=self.live,
            contexts=self._contexts,
            limits=config.limits,
            metrics=self.metrics,
            region=config.region,
            turns=Flusher(loop.call_soon, loop.call_later, time.monotonic),
            arm_of=lambda session: arm_of(session, self._shares),
            has_room=lambda: len(self._sessions) <= config.limits.sessions,
        )
        self._streams: Final = Streams(self._edge, self._numbers, self._sessions)
        self._door: Final = OpenAiDoor(self._edge, self._numbers, Departures(loop.call_later), time.time)
        self._route(config)

    def web_app(self) -> web.Application:
        """The routes; starting and stopping the application starts and stops the links to the workers."""
        app = web.Application(middlewares=[browsers.middleware(lambda: self._config)])
        app.on_response_prepare.append(browsers.allow)
        app.router.add_get(SESSION_PATH, self._session)
        self._streams.add_routes(app.router)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        self._operations.add_routes(app.router)
        self._door.add_routes(app.router)
        app.on_startup.append(self._start)
        app.on_shutdown.append(self._close_sessions)
        app.on_cleanup.append(self._stop)
        return app

    @property
    def transports(self) -> list[asyncio.Transport]:
        """The transports of all sessions, for whoever checks their sockets."""
        return [connection.transport for connection in self._sessions.values()]

    def apply(self, config: Config) -> None:
        """Settings that may change while sessions run; `reload.LIVE` names them."""
        self._config = config
        self.accounts.configure(config.tenants)
        self._route(config)
        self._links.change(config.workers, config.grace)
        self._operations.apply(config)

    def _route(self, config: Config) -> None:
        self._fleet.configure(config.languages, {name: frozenset(arm.models) for name, arm in config.arms.items()})
        self._shares = {name: arm.share for name, arm in config.arms.items()}

    def warn(self, session: int, frame: GoAway) -> None:
        """Tell a client that its session will end."""
        connection = self._sessions.get(session)
        if connection is not None:
            connection.outgoing.send(frame)

    def cut(self, session: int, cause: str, message: str) -> None:
        """End a session whose token lets nobody in any more."""
        connection = self._sessions.get(session)
        if connection is None:
            self.dispatcher.cancel(session, [ONLY])  # a call of the OpenAI door
            return
        if connection.session.cut_for is not None:
            return
        close = connection.session.cut(cause, message)
        handler = self._handlers.get(session)
        if handler is not None:
            handler.cancel()  # it waits for the client, and is the one to close in order
            return
        closing = asyncio.ensure_future(connection.socket.close(code=close.code))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def drain(self) -> None:
        """Take nothing new, tell the clients, and wait for what is in flight, up to the grace time."""
        loop = asyncio.get_running_loop()
        idle: asyncio.Future[None] = loop.create_future()

        def when_idle() -> None:
            if not idle.done():
                idle.set_result(None)

        goaway = GoAway(within_ms=round(self._config.grace * MS), reason=DRAINING)
        for connection in list(self._sessions.values()):
            if connection.session.greeted:
                connection.outgoing.send(goaway)
        self.dispatcher.drain(when_idle)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._config.grace):
                await idle
        self.dispatcher.shed_all()

    # Starting and stopping

    async def _start(self, _: web.Application) -> None:
        self._links.start()
        self._operations.start()

    async def _close_sessions(self, _: web.Application) -> None:
        connections = list(self._sessions.values())
        for connection in connections:
            connection.outgoing.close()
        await asyncio.gather(*(connection.socket.close(code=WSCloseCode.GOING_AWAY) for connection in connections))

    async def _stop(self, _: web.Application) -> None:
        await self._links.stop()
        if self._shared is not None:
            await self._shared.close()
        await self._operations.stop()

    # Routes

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        if self.dispatcher.draining:
            return web.Response(status=503, text="draining\n")
        if not self.dispatcher.ready:
            return web.Response(status=503, text="no worker is connected and takes requests\n")
        if not any(worker.ready and worker.health.usable() for worker in self.dispatcher.workers):
            return web.Response(status=503, text="every worker that is connected failed lately\n")
        return web.Response(text="ready\n")

    async def _session(self, request: web.Request) -> web.StreamResponse:
        if self.dispatcher.draining:
            return web.Response(status=503, text=f"{DRAINING}\n")
        limits = self._config.limits
        socket = web.WebSocketResponse(
            protocols=(SUBPROTOCOL,),
            compress=False,
            heartbeat=HEARTBEAT_SECONDS,
            max_msg_size=HARD_FACTOR * limits.frame_bytes,
            timeout=CLOSE_SECONDS,
        )
        if not _offers_subprotocol(request):
            return web.Response(
                status=400, text=f"This is a WebSocket endpoint for the subprotocol {SUBPROTOCOL}; offer it.\n"
            )
        try:
            await socket.prepare(request)
        except ConnectionError:  # the client left during the handshake
            return web.Response()  # aiohttp wants an answer, and cannot end a WebSocket that never began
        transport = request.transport
        if transport is None or transport.is_closing():
            return socket
        set_nodelay(transport)
        outgoing = Outgoing(transport, limits.outgoing_bytes, self._edge.turns, self.metrics.bytes_out.inc)
        number = next(self._numbers)
        session = Session(number, outgoing, self._edge)
        self._sessions[number] = Connection(session, outgoing, socket, transport)
        close = Close(WSCloseCode.OK, "client_left")
        handler = asyncio.current_task()
        if handler is not None:
            self._handlers[number] = handler
        try:
            close = await self._listen(socket, session, outgoing) or close
        except asyncio.CancelledError:
            if session.cut_for is None or handler is None or handler.uncancel():
                raise
        finally:
            self._handlers.pop(number, None)
            del self._sessions[number]
            close = session.cut_for or close
            session.end(self._cause(outgoing, close))
            await socket.close(code=close.code)
        return socket

    def _cause(self, outgoing: Outgoing, close: Close) -> str:
        if outgoing.cut_off:
            return "slow_reader"
        return "drained" if self.dispatcher.draining else close.cause

    async def _listen(self, socket: web.WebSocketResponse, session: Session, outgoing: Outgoing) -> Close | None:
        """Feed the session until one side ends it; what it returns is why we did."""
        loop = asyncio.get_running_loop()
        hello_by = loop.time() + HELLO_SECONDS
        while True:
            try:
                message = await socket.receive(None if session.greeted else max(0.0, hello_by - loop.time()))
            except TimeoutError:
                outgoing.send(Error(code="unexpected", message=f"No hello came within {HELLO_SECONDS:g} seconds."))
                return Close(CLOSE_POLICY, "no_hello")
            if message.type is WSMsgType.BINARY or message.type is WSMsgType.TEXT:
                close = await with_keys(session.receive(message.data), self._edge.authenticator)
                if close is not None:
                    return close
            else:
                return None


def _near_matches(settings: CacheSettings) -> NearMatches | None:
    near = settings.near_match
    if not (near.enabled and near.bytes):
        return None
    return NearMatches(time.monotonic, near.bytes, settings.seconds, near.similarity)


def _shared_cache(config: Config, secret: bytes, metrics: Metrics) -> RedisLevel:
    try:
        from edge_proxy.sealing import Sealer
        from edge_proxy.second_level import RedisLevel
    except ImportError as error:
        raise StartError(f"The shared cache needs the package {error.name}: pip install 'foretype[redis]'.") from None
    try:
        return RedisLevel(config.redis.url, Sealer(secret), config.redis.seconds, time.monotonic, metrics)
    except ValueError as error:
        raise StartError(f"redis.url is not usable: {error}.") from None


def _offers_subprotocol(request: web.Request) -> bool:
    offered = ",".join(request.headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, ()))
    return SUBPROTOCOL in {name.strip() for name in offered.split(",")}
