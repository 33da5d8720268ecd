"""A stand-in worker for typing traces: a worker's end of the protocol, and the text that the trace's oracle knows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

from aiohttp import WSMsgType, web

from benchmarks.client.backend import Asked, Backend
from wire_protocol.codec import decode_from_proxy, encode
from wire_protocol.frames import (
    SUBPROTOCOL,
    Cancel,
    Credit,
    Done,
    DoneReason,
    Hello,
    ModelInfo,
    Submit,
    TokenBatch,
    Tokens,
    Usage,
    Welcome,
)

SLOTS: Final = 16
"""More than one person ever has in flight: nothing waits, so that only what is cancelled differs."""


@contextlib.asynccontextmanager
async def oracle_worker(backend: Backend) -> AsyncIterator[str]:
    """Serve `backend` on loopback; the URL for `--worker`."""
    app = web.Application()
    app.router.add_get("/v1/session", _Worker(backend).session)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class _Worker:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._running: dict[int, asyncio.Task[None]] = {}

    async def session(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=[SUBPROTOCOL], compress=False)
        await socket.prepare(request)
        async for message in socket:
            if message.type is not WSMsgType.BINARY:
                continue
            frame = decode_from_proxy(message.data)
            if isinstance(frame, Hello):
                await _send(socket, Welcome(session="oracle", models=[ModelInfo(name="stand-in")]))
                await _send(socket, Credit(grant=SLOTS))
            elif isinstance(frame, Submit):
                self._running[frame.id] = asyncio.create_task(self._answer(socket, frame))
            elif isinstance(frame, Cancel):
                for id in frame.ids:
                    if (task := self._running.get(id)) is not None:
                        task.cancel()
        for task in list(self._running.values()):
            task.cancel()
        return socket

    async def _answer(self, socket: web.WebSocketResponse, submit: Submit) -> None:
        purpose = "prefetch" if submit.kind == "prefetch" else "foreground"
        offset = tokens = 0
        reason: DoneReason = "cancelled"
        stream = self._backend.generate(
            Asked(submit.context, submit.lines, submit.max_tokens, purpose, tuple(submit.stop))
        )
        try:
            async with contextlib.aclosing(stream):
                async for piece, count in stream:
                    tokens += count
                    batch = TokenBatch(id=submit.id, offset=offset, text=piece, tokens=count)
                    await _send(socket, Tokens(items=[batch]))
                    offset += len(piece)
            reason = "length" if tokens >= submit.max_tokens else "stop"
        finally:
            self._running.pop(submit.id, None)
            usage = Usage(generated_tokens=tokens)
            await _send(socket, Done(id=submit.id, reason=reason, model="stand-in", usage=usage))
            await _send(socket, Credit(grant=1))


async def _send(socket: web.WebSocketResponse, frame: Any) -> None:
    if not socket.closed:
        with contextlib.suppress(ConnectionError):
            await socket.send_bytes(encode(frame))
