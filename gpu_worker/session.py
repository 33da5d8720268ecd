"""One connected proxy or language server: frames in, requests to the engine, frames out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from gpu_worker.engines.base import KIND_RANK, Chunk, Finished, Request
from gpu_worker.hub import Hub
from gpu_worker.outbox import Outbox
from wire_protocol import frames
from wire_protocol.bad_frames import BadFrameBudget
from wire_protocol.codec import ProtocolError, decode_from_proxy, encode, negotiate
from wire_protocol.frames import AnyFrame, Auth, Cancel, Done, Error, Forget, Hello, Promote, Submit, Welcome

log = logging.getLogger(__name__)

HELLO_SECONDS = 10.0
"""How long a peer may take to say hello."""
WRITE_SECONDS = 10.0
"""How long one frame may take to leave: a peer that reads nothing for so long is gone."""
HEARTBEAT_SECONDS = 20.0
MAX_SENTENCE = frames.MAX_SENTENCE


class Session:
    """Serves one WebSocket until it closes. Every `submit` that is accepted gets exactly one `done`."""

    def __init__(self, hub: Hub, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self._hub = hub
        self._socket = socket
        self._transport = transport
        self._outbox = Outbox()
        self._wake = asyncio.Event()
        self._bad_frames = BadFrameBudget(hub.clock)
        self._requests: dict[int, tuple[int, asyncio.Task[None]]] = {}
        self._cancelled: set[int] = set()
        self._unbegun: dict[int, Submit] = {}
        """By key those whose task has not begun: the engine does not know them yet."""
        self._flushing = asyncio.Lock()
        self._number = 0
        self._retiring = False
        self._closing: asyncio.Task[None] | None = None

    # What the hub calls.

    def send(self, frame: AnyFrame) -> None:
        """Queue a frame for the peer."""
        self._outbox.add(frame)
        self._wake.set()
        if self._outbox.overflowing:
            self._give_up("it leaves too much unread")

    def cancel_all(self) -> None:
        """Cancel every request; each still gets its `done`."""
        for key, _ in self._requests.values():
            self._cancel(key)

    def retire(self) -> None:
        """Close as soon as no request is left (the peer was told to go away)."""
        self._retiring = True
        self._close_if_retired()

    # The session's life.

    async def run(self) -> None:
        """Welcome, serve, clean up; returns when the socket is closed."""
        try:
            await self._welcome()
        except ProtocolError as error:
            await self._refuse(error)
            return
        self._number = self._hub.join(self)
        writer = asyncio.create_task(self._write())
        try:
            await self._read()
        finally:
            self.cancel_all()
            await self._settle_requests()
            self._hub.leave(self._number)
            if self._closing is not None:
                await self._closing
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer

    async def close(self) -> None:
        """Send what is queued and close (the worker leaves, or answers with another model)."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            await self._flush()
            await self._socket.close(code=WSCloseCode.GOING_AWAY, message=b"the worker sends you elsewhere")

    async def _welcome(self) -> None:
        if self._socket.ws_protocol != frames.SUBPROTOCOL:
            raise ProtocolError("version", f"Ask for the WebSocket subprotocol {frames.SUBPROTOCOL}.")
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                message = await self._socket.receive()
        except TimeoutError:
            raise ProtocolError("unexpected", f"No hello within {HELLO_SECONDS:.0f} s.") from None
        if message.type is not WSMsgType.BINARY:
            raise ProtocolError("unexpected", "The first frame must be a hello, in a binary message.")
        hello = decode_from_proxy(message.data, self._hub.limits.frame_bytes)
        if not isinstance(hello, Hello):
            raise ProtocolError("unexpected", "The first frame must be a hello.")
        version = negotiate(hello)
        if not self._hub.authorised(hello.token):
            raise ProtocolError("auth", "The token is not one that this worker accepts: check the proxy's settings.")
        welcome = Welcome(
            version=version,
            session=secrets.token_hex(8),
            server="foretype-worker",
            models=[self._hub.model],
            limits=self._hub.limits,
            heartbeat_ms=round(HEARTBEAT_SECONDS * 1_000),
        )
        await self._socket.send_bytes(encode(welcome))

    async def _refuse(self, error: ProtocolError) -> None:
        self._hub.metrics.bad_frames.labels(error.code).inc()
        with contextlib.suppress(ConnectionError):
            await self._socket.send_bytes(encode(error.to_frame()))
            await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=error.code.encode())

    async def _read(self) -> None:
        async for message in self._socket:
            try:
                if message.type is not WSMsgType.BINARY:
                    raise ProtocolError("malformed", "Frames are binary messages.")
                self._take(decode_from_proxy(message.data, self._hub.limits.frame_bytes))
            except ProtocolError as error:
                self._hub.metrics.bad_frames.labels(error.code).inc()
                self.send(error.to_frame())
                if error.code == "auth" or not self._bad_frames.spend():
                    if error.code != "auth":
                        self.send(Error(code="limit", message="Too many bad frames: the session ends."))
                    await self._flush()
                    await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"limit")
                    return

    def _take(self, frame: frames.FromProxy) -> None:
        if isinstance(frame, Submit):
            self._submit(frame)
        elif isinstance(frame, Cancel):
            for id in frame.ids:
                if id in self._requests:
                    self._cancel(self._requests[id][0])
        elif isinstance(frame, Promote):
            if frame.id in self._requests:
                self._promote(self._requests[frame.id][0], frame)
        elif isinstance(frame, Forget):
            self._hub.engine.forget(frame.docs)
        elif isinstance(frame, Auth):
            if not self._hub.authorised(frame.token):
                raise ProtocolError("auth", "The refreshed token is not one that this worker accepts.")
        elif isinstance(frame, Error):
            log.warning("a peer reports %s: %s", frame.code, frame.message)
        else:
            raise ProtocolError("unexpected", "`hello` is only the first frame.")

    def _submit(self, submit: Submit) -> None:
        if submit.id in self._requests:
            raise ProtocolError("invalid", f"Request {submit.id} is already running: ids must differ.", submit.id)
        if refusal := self._hub.admit(self._number):
            self._done(submit, Finished("shed", message=refusal))
            return
        key = self._hub.next_key()
        self._unbegun[key] = submit
        task = asyncio.create_task(self._answer(submit, key))
        self._requests[submit.id] = (key, task)

    def _promote(self, key: int, promote: Promote) -> None:
        submit = self._unbegun.get(key)
        if submit is None:
            self._hub.engine.promote(key, promote.kind, promote.priority, promote.give_up_ms)
        else:
            self._unbegun[key] = _promoted(submit, promote)

    def _cancel(self, key: int) -> None:
        # A cancel can come before the request's task has begun: the engine would not know the key yet.
        self._cancelled.add(key)
        self._hub.engine.cancel(key)

    async def _answer(self, submit: Submit, key: int) -> None:
        end = Finished("error", message="The engine ended without saying how.")
        try:
            end = await self._generate(submit, key)
        except Exception as error:  # one request's failure must neither end the session nor stay unanswered
            log.exception("a request failed")
            end = Finished("error", message=f"The worker failed on this request ({type(error).__name__}).")
        finally:
            self._requests.pop(submit.id, None)
            self._cancelled.discard(key)
            self._done(submit, end)
            self._hub.finish(self._number, submit.kind, end)
            self._close_if_retired()

    async def _generate(self, submit: Submit, key: int) -> Finished:
        submit = self._unbegun.pop(key, submit)
        if key in self._cancelled:
            return Finished("cancelled")
        if submit.adapter and not self._hub.engine.has_adapter(submit.adapter):
            return Finished("error", message=f"This worker has no adapter {submit.adapter!r}.")
        request = Request(
            key=key,
            context=submit.context,
            doc=submit.doc,
            max_tokens=submit.max_tokens,
            lines=submit.lines,
            stop=tuple(submit.stop),
            kind=submit.kind,
            priority=submit.priority,
            cache_salt=submit.cache_salt,
            adapter=submit.adapter,
            give_up_ms=submit.give_up_ms,
        )
        offset = 0
        async for event in self._hub.engine.generate(request):
            if isinstance(event, Finished):
                return event
            offset = self._text(submit.id, offset, event)
        return Finished("error", message="The engine ended without saying how.")

    def _text(self, id: int, offset: int, chunk: Chunk) -> int:
        self._outbox.text(id, offset, chunk.text, chunk.tokens)
        self._wake.set()
        if self._outbox.overflowing:
            self._give_up("it leaves too much unread")
        return offset + len(chunk.text)

    def _done(self, submit: Submit, end: Finished) -> None:
        self.send(
            Done(
                id=submit.id,
                reason=end.reason,
                model=end.model or self._hub.engine.model.name,
                usage=end.usage,
                timings=end.timings,
                mean_logprob=end.mean_logprob,
                first_logprob=end.first_logprob,
                message=end.message[:MAX_SENTENCE],
            )
        )

    def _close_if_retired(self) -> None:
        if self._retiring and not self._requests and self._closing is None:
            self._closing = asyncio.create_task(self.close())

    async def _settle_requests(self) -> None:
        tasks = [task for _, task in self._requests.values()]
        if tasks:
            await asyncio.wait(tasks)

    async def _write(self) -> None:
        """Send what has gathered, as it gathers: all text of one engine step leaves in one frame."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._flush()
            except (ConnectionError, TimeoutError) as error:
                self._give_up(str(error) or "it does not read")
                return

    async def _flush(self) -> None:
        async with self._flushing:  # what one took is all sent before another takes more: order is kept
            for frame in self._outbox.take():
                async with asyncio.timeout(WRITE_SECONDS):
                    await self._socket.send_bytes(encode(frame))

    def _give_up(self, why: str) -> None:
        """Cut the connection of a peer that cannot be served; the reader then ends the session."""
        if self._transport is not None and not self._transport.is_closing():
            log.warning("a session is cut: %s", why)
            self._transport.abort()


def _promoted(submit: Submit, promote: Promote) -> Submit:
    """As `Engine.promote` of a request that runs: never less urgent, and never with less time."""
    submit = msgspec.structs.replace(submit, give_up_ms=max(submit.give_up_ms, promote.give_up_ms))
    if (KIND_RANK[promote.kind], promote.priority) < (KIND_RANK[submit.kind], submit.priority):
        submit = msgspec.structs.replace(submit, kind=promote.kind, priority=promote.priority)
    return submit
