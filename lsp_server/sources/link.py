"""One live session over one WebSocket: reader, writer and heartbeat around the pure `Session`."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from lsp_server.sources.base import SourceRequest
from lsp_server.sources.handshake import DialError, Opened, from_error
from lsp_server.sources.session import Dialect, Event, Reaction, Session
from lsp_server.sources.wire import WireClosedError
from wire_protocol.codec import ProtocolError, encode
from wire_protocol.frames import AnyFrame, Complete, Submit

log = logging.getLogger(__name__)

DOUBT_S: Final = 3.0
"""A peer that was not heard of for this long is asked for a sign of life when a completion is wanted."""
SIGN_S: Final = 2.0
"""How long it may take: four times a bad mobile network's round trip. The local model answers meanwhile."""
AWAKE_SIGN_S: Final = 0.5
"""After sleep and in another network, when most connections are dead and nothing runs that could be lost."""
PONG_TIMEOUT_S: Final = 10.0
"""A peer that does not answer a ping for this long is gone: asleep, unplugged, or stopped."""
MIN_HEARTBEAT_S: Final = 1.0
"""However short an interval the peer announces, pings come no more often."""
MAX_OUTBOX: Final = 1_024
"""Frames waiting to be written: a peer that has not read so many is not reading at all."""
MAX_BAD_FRAMES: Final = 10
"""Frames from the peer that could not be read before the session is given up, as the protocol's own limit."""
GOAWAY_DEFAULT_S: Final = 10.0
"""How long running answers may take after a `goaway` that names no time."""


class Lost:
    """Put into an answer's queue when its connection ended before it did; `sentence` says why."""

    __slots__ = ("sentence",)

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence


Events = asyncio.Queue[Event | Lost]


class Link:
    """Answers in flight on one connection. `run` drives it; `open` and `cancel` are called meanwhile, synchronously."""

    def __init__(self, opened: Opened, dialect: Dialect, clock: Callable[[], float]) -> None:
        self.address: Final = opened.address
        self.welcome: Final = opened.welcome
        self.leaving = asyncio.Event()
        self.heard_at = clock()
        self.wire: Final = opened.wire
        self.left = False
        """Whether we left on our own account, for a nearer peer."""
        self._checking: asyncio.Task[None] | None = None
        self._dialect = dialect
        self._session = Session(dialect)
        self._clock = clock
        self._queues: dict[int, Events] = {}
        self._outbox: deque[AnyFrame] = deque()
        self._to_write = asyncio.Event()
        self._ended: DialError | None = None
        self._bad_frames = 0
        self._leave_within_s = GOAWAY_DEFAULT_S

    @property
    def full(self) -> bool:
        """Whether the peer's limit of requests in flight is reached."""
        return len(self._session.live) >= self.welcome.limits.in_flight

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self._ended is not None

    def open(self, request: SourceRequest) -> Events:
        """Ask; the answer's events come through the queue returned, `Ended` or `Lost` last."""
        queue: Events = asyncio.Queue()
        if self._ended is not None:
            queue.put_nowait(Lost(str(self._ended)))
            return queue
        self._queues[request.id] = queue
        self._perform(self._session.open(request))
        if self._clock() - self.heard_at > DOUBT_S:
            self.check()
        return queue

    def cancel(self, id: int) -> None:
        """Nobody reads answer `id` any more: it is cancelled in-band unless it has ended."""
        self._queues.pop(id, None)
        if self._ended is None:
            self._perform(self._session.cancel(id))
            self._close_if_left()

    def check(self, within_s: float = SIGN_S) -> None:
        """See soon whether the peer is still there; the connection ends if it gives no sign of life."""
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._check(within_s), name="foretype check")

    async def _check(self, within_s: float) -> None:
        asked_at = self._clock()
        try:
            async with asyncio.timeout(within_s):
                await self.wire.ping()
            self.heard_at = self._clock()
        except (TimeoutError, WireClosedError):
            if self.heard_at <= asked_at:
                self._end(DialError(f"{self.address} does not answer any more."))
                self._to_write.set()

    def leave(self, why: str) -> None:
        """Use this connection for what runs on it, and no more."""
        log.info("leaving %s: %s", self.address, why)
        self.left = True
        self.leaving.set()
        self._close_if_left()

    def forget(self, doc: str) -> None:
        """The document was closed."""
        if self._ended is None:
            self._perform(self._session.forget(doc))

    def send(self, frame: AnyFrame) -> None:
        """Send a frame that has no answer."""
        if self._ended is None:
            self._perform(Reaction(send=[frame]))

    async def run(self) -> DialError:
        """Serve until the connection ends; returns why, and when to try again. Cancelling it closes the connection."""
        tasks = [
            asyncio.create_task(work, name=f"foretype {name}")
            for name, work in (("reader", self._read()), ("writer", self._write()), ("heartbeat", self._beat()))
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            self._end(DialError(f"The connection to {self.address} was lost."))
        finally:
            if self._checking is not None:
                tasks.append(self._checking)
            for task in tasks:
                task.cancel()
            self._end(DialError(f"The connection to {self.address} was closed."))
            self.wire.abort()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):  # a fault of ours: it must be seen, and must not stop the source
                log.error("the session with %s failed", self.address, exc_info=result)
        assert self._ended is not None
        return self._ended

    def _end(self, why: DialError) -> None:
        if self._ended is not None:
            return
        self._ended = why
        for queue in self._queues.values():
            queue.put_nowait(Lost(str(why)))
        self._queues.clear()

    async def say_goodbye(self) -> None:
        """Let what is to be sent go out, then close properly; for the end of the program."""
        try:
            while self._outbox:
                await self.wire.send(encode(self._outbox.popleft()))
            await self.wire.close()
        except WireClosedError:
            pass  # it is gone already, which is what was wanted

    async def _read(self) -> None:
        while True:
            try:
                message = await self.wire.recv()
            except WireClosedError as closed:
                self._end(
                    DialError(f"{self.address} closed the connection{f': {closed.reason}' if closed.reason else '.'}")
                )
                return
            self.heard_at = self._clock()
            if self._received(message):
                return

    def _received(self, message: str | bytes) -> bool:
        """Handle one message; True if the session is over."""
        try:
            if isinstance(message, str):
                raise ProtocolError("malformed", "a text message where the protocol has binary ones")
            frame = self._dialect.decode(message)
        except ProtocolError as error:
            self._bad_frames += 1
            log.warning("%s sent a frame that cannot be read: %s", self.address, error.message)
            if self._bad_frames >= MAX_BAD_FRAMES:
                self._end(DialError(f"{self.address} sent {MAX_BAD_FRAMES} frames that cannot be read."))
            return self.ended
        self._perform(self._session.receive(frame))
        self._close_if_left()
        return self.ended

    def _perform(self, reaction: Reaction) -> None:
        for notice in reaction.notices:
            log.warning("%s: %s", self.address, notice)
        for id, event in reaction.events:
            queue = self._queues.get(id)
            if queue is not None:
                queue.put_nowait(event)
        if reaction.send:
            self._outbox.extend(reaction.send)
            self._to_write.set()
        if reaction.fatal is not None:
            self._end(from_error(reaction.fatal, self.address))
        if reaction.goaway is not None and not self.leaving.is_set():
            log.info("%s is about to leave: %s", self.address, reaction.goaway.reason or "no reason given")
            self._leave_within_s = reaction.goaway.within_ms / 1_000 or GOAWAY_DEFAULT_S
            self.leaving.set()
            self._to_write.set()
        if len(self._outbox) > MAX_OUTBOX:
            self._end(DialError(f"{self.address} does not read what is sent."))
            self._to_write.set()

    def _close_if_left(self) -> None:
        """After `goaway` the connection ends with its last answer."""
        if self.leaving.is_set() and not self._session.live and not self._outbox:
            self._end(DialError(f"{self.address} left."))
            self._to_write.set()

    async def _write(self) -> None:
        while not self.ended:
            self._to_write.clear()
            while self._outbox and not self.ended:
                frame = self._outbox.popleft()
                if not await self._sent(frame):
                    return
            self._close_if_left()
            if not self.ended and not self._outbox:
                await self._to_write.wait()

    async def _sent(self, frame: AnyFrame) -> bool:
        """Write one frame; False if the connection is gone."""
        data = encode(frame)
        if len(data) > self.welcome.limits.frame_bytes and isinstance(frame, Complete | Submit):
            self._refuse(frame, len(data))
            return True
        try:
            await self.wire.send(data)
        except WireClosedError:
            return False
        return True

    def _refuse(self, frame: Complete | Submit, size: int) -> None:
        """A context larger than the peer takes: the answer is over before it began."""
        queue = self._queues.pop(frame.id, None)
        if queue is not None:
            limit = self.welcome.limits.frame_bytes
            queue.put_nowait(Lost(f"The request has {size} bytes; {self.address} takes {limit}."))
        self._session.cancel(frame.id)  # what it would send is dropped: the peer has never seen this request
        self._session.forget(frame.doc)

    async def _beat(self) -> None:
        """Ping as often as `welcome` asks; ends when a pong does not come, or when a leaving peer's time is up."""
        interval_s = max(MIN_HEARTBEAT_S, self.welcome.heartbeat_ms / 1_000)
        while True:
            try:
                async with asyncio.timeout(interval_s):
                    await self.leaving.wait()
                    break
            except TimeoutError:
                pass
            if not await self._pong():
                return
        await asyncio.sleep(self._leave_within_s)
        self._end(DialError(f"{self.address} left."))

    async def _pong(self) -> bool:
        try:
            async with asyncio.timeout(PONG_TIMEOUT_S):
                await self.wire.ping()
        except TimeoutError:
            self._end(DialError(f"{self.address} has not answered for {PONG_TIMEOUT_S:g} s."))
            return False
        except WireClosedError:
            return False
        self.heard_at = self._clock()
        return True
