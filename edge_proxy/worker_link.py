"""One multiplexed connection to one worker: connects, says hello, reads, writes, and connects again when it is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable
from typing import Final

import aiohttp

from edge_proxy import __version__
from edge_proxy.addresses import WorkerAddress
from edge_proxy.breaker import Breaker
from edge_proxy.dispatch import Dispatcher
from edge_proxy.metrics import Metrics
from edge_proxy.sockets import set_nodelay
from edge_proxy.workers import Worker
from wire_protocol.backoff import Backoff
from wire_protocol.bad_frames import BadFrameBudget
from wire_protocol.codec import ProtocolError, decode_to_proxy, encode
from wire_protocol.frames import (
    SUBPROTOCOL,
    Credit,
    Done,
    Error,
    FromProxy,
    GoAway,
    Hello,
    Stats,
    Submit,
    Tokens,
    ToProxy,
    Welcome,
)

CONNECT_SECONDS: Final = 5.0
"""For the connection and for the welcome, each: a worker that needs longer is as good as down."""
HARD_FRAME_BYTES: Final = 4 * 1_048_576
"""A message larger than this ends the connection; between the protocol's limit and this it is only refused."""
HEARTBEAT_SECONDS: Final = 10.0
"""Between pings; a worker that is silent for half of that again has gone."""

logger = logging.getLogger("foretype.edge.worker")


class LinkError(Exception):
    """The connection cannot be used, or no longer; the message is for the log and shows no code text."""


class WorkerLink:
    """Keeps `worker` connected for as long as `run` runs."""

    def __init__(
        self,
        address: WorkerAddress,
        token: str,
        dispatcher: Dispatcher,
        metrics: Metrics,
        backoff: Backoff,
        clock: Callable[[], float],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`tls`: whom to trust at a `wss://` address and what to show there, if not the system's usual rules."""
        self._address: Final = address
        self._token: Final = token
        self._dispatcher: Final = dispatcher
        self._backoff: Final = backoff
        self._clock: Final = clock
        self._tls: Final[ssl.SSLContext | bool] = True if tls is None else tls
        self._connects: Final = metrics.worker_connects.labels(address.name)
        self._losses: Final = metrics.worker_losses.labels(address.name)
        self._frames_wait = asyncio.Event()
        self._frame_bytes = 0
        self._last_complaint = ""
        self.worker: Final = Worker(address.name, self._frames_wait.set, Breaker(clock))
        dispatcher.add(self.worker)

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        path = self._address.unix_path
        connector = aiohttp.UnixConnector(path) if path is not None else aiohttp.TCPConnector(limit=0, ssl=self._tls)
        async with aiohttp.ClientSession(connector=connector) as http:
            while True:
                try:
                    await self._connection(http)
                except (LinkError, aiohttp.ClientError, OSError, TimeoutError) as error:
                    self._complain(error)
                except Exception:  # what nobody foresaw must not cost the worker for good
                    logger.exception("worker %s: the connection failed; trying again", self.worker.name)
                await asyncio.sleep(self._backoff.next_s())

    def _complain(self, error: Exception) -> None:
        """Log why the worker cannot be used; the same reason once, not at every attempt."""
        complaint = str(error) or type(error).__name__
        if complaint != self._last_complaint:
            self._last_complaint = complaint
            logger.warning("worker %s: %s; trying again", self.worker.name, complaint)

    async def _connection(self, http: aiohttp.ClientSession) -> None:
        async with asyncio.timeout(CONNECT_SECONDS):
            socket = await http.ws_connect(
                self._address.url,
                protocols=(SUBPROTOCOL,),
                heartbeat=HEARTBEAT_SECONDS,
                compress=0,
                max_msg_size=HARD_FRAME_BYTES,
            )
        async with socket:
            if socket.protocol != SUBPROTOCOL:
                raise LinkError(f"it does not speak {SUBPROTOCOL}; is the address a Foretype worker's?")
            set_nodelay(socket)
            welcome = await self._greet(socket)
            self._connects.inc()
            self._last_complaint = ""
            self._frame_bytes = welcome.limits.frame_bytes
            self._dispatcher.connected(self.worker, tuple(welcome.models))
            logger.info("worker %s: connected, session %s", self.worker.name, welcome.session)
            writer = asyncio.create_task(self._write(socket))
            try:
                await self._read(socket)
            finally:
                writer.cancel()
                try:
                    with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                        await writer
                finally:
                    self._losses.inc()
                    self._dispatcher.disconnected(self.worker)

    async def _greet(self, socket: aiohttp.ClientWebSocketResponse) -> Welcome:
        hello = Hello(token=self._token, client="foretype-proxy", client_version=__version__)
        await socket.send_bytes(encode(hello))
        async with asyncio.timeout(CONNECT_SECONDS):
            message = await socket.receive()
        if message.type is not aiohttp.WSMsgType.BINARY:
            raise LinkError("it closed the connection instead of a welcome")
        frame = self._decoded(message.data)
        if isinstance(frame, Error):
            raise LinkError(f"it refused this proxy ({frame.code}): {frame.message}")
        if not isinstance(frame, Welcome):
            raise LinkError("it sent something else before its welcome")
        return frame

    @staticmethod
    def _decoded(data: bytes) -> ToProxy:
        try:
            return decode_to_proxy(data)
        except ProtocolError as error:
            raise LinkError(f"it sent a bad frame ({error.code})") from None

    async def _write(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Write what waits; what comes in one turn of the event loop goes out together."""
        while True:
            await self._frames_wait.wait()
            self._frames_wait.clear()
            for frame in self.worker.take_frames():
                try:
                    data = encode(frame)
                except UnicodeError:
                    self._give_back(frame, "The request has text that no UTF-8 can say.")
                    continue
                if len(data) <= self._frame_bytes:
                    await socket.send_bytes(data)
                else:
                    self._give_back(frame, "The context is larger than the worker takes.")

    def _give_back(self, frame: FromProxy, why: str) -> None:
        """The worker never saw this frame."""
        if isinstance(frame, Submit):
            self.worker.grant(1)
            self._dispatcher.refused(self.worker, frame.id, why)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        bad_frames = BadFrameBudget(self._clock)
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.BINARY:
                continue
            try:
                frame = decode_to_proxy(message.data)
            except ProtocolError as error:
                await self._tell(socket, error.to_frame())
                logger.warning("worker %s: bad frame (%s)", self.worker.name, error.code)
                if not bad_frames.spend():
                    raise LinkError("it sent too many bad frames") from None
                continue
            self._take(frame)
        raise LinkError("it closed the connection")

    @staticmethod
    async def _tell(socket: aiohttp.ClientWebSocketResponse, frame: FromProxy) -> None:
        await socket.send_bytes(encode(frame))

    def _take(self, frame: ToProxy) -> None:
        worker, dispatcher = self.worker, self._dispatcher
        match frame:
            case Tokens():
                dispatcher.tokens(worker, frame.items)
            case Done():
                dispatcher.done(worker, frame)
            case Credit():
                self._backoff.reset()
                dispatcher.credit(worker, frame.grant)
            case Stats():
                dispatcher.stats(worker, frame)
            case GoAway():
                logger.info("worker %s: is leaving within %d ms", worker.name, frame.within_ms)
                dispatcher.leaving(worker)
            case Error():
                logger.warning("worker %s: error %s", worker.name, frame.code)
                if frame.id is not None:
                    dispatcher.refused(worker, frame.id, frame.message)
            case Welcome():
                logger.warning("worker %s: a second welcome", worker.name)
