"""The one backend in each client's language: foretype's edge protocol, Tabby's HTTP, HTTP for Continue's glue."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from aiohttp import WSMsgType, web

from benchmarks.client.backend import Asked, Backend
from benchmarks.client.ledger import Purpose
from wire_protocol.codec import ProtocolError, decode_from_client, encode
from wire_protocol.contexts import ContextStore, ContextUnknownError
from wire_protocol.frames import (
    SUBPROTOCOL,
    Cancel,
    Complete,
    Context,
    Done,
    DoneReason,
    Forget,
    Hello,
    ModelInfo,
    Resend,
    TokenBatch,
    Tokens,
    Usage,
    Welcome,
)
from wire_protocol.text import clean

TABBY_MAX_TOKENS: Final = 64
"""What a Tabby server decodes at most unless it is told otherwise."""
CONTINUE_MAX_TOKENS: Final = 192
"""Above what Continue, which stops its stream by itself, ever takes."""
CONTEXT_BYTES: Final = 16 * 1_048_576
TABBY_HEALTH: Final = {
    "model": "stand-in",
    "device": "cpu",
    "arch": "x86_64",
    "cpu_info": "",
    "cpu_count": 1,
    "cuda_devices": [],
    "version": {
        "build_date": "2024-05-01",
        "build_timestamp": "2024-05-01",
        "git_sha": "0" * 40,
        "git_describe": "v0.11.0",
    },
}


@contextlib.asynccontextmanager
async def serving(backend: Backend) -> AsyncIterator[int]:
    """Serve `backend` on loopback; the port."""
    app = web.Application()
    endpoints = _Endpoints(backend)
    app.router.add_get("/v1/session", endpoints.session)
    for path in ("/v1/health", "/v1beta/server_setting"):
        app.router.add_route("*", path, endpoints.tabby_health if "health" in path else endpoints.tabby_settings)
    app.router.add_post("/v1/events", endpoints.tabby_events)
    app.router.add_post("/v1/completions", endpoints.tabby_completion)
    app.router.add_post("/fim", endpoints.continue_fim)
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


class _Endpoints:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def tabby_health(self, request: web.Request) -> web.Response:
        return web.json_response(TABBY_HEALTH)

    async def tabby_settings(self, request: web.Request) -> web.Response:
        return web.json_response({"disable_client_side_telemetry": True})

    async def tabby_events(self, request: web.Request) -> web.Response:
        return web.Response()

    async def tabby_completion(self, request: web.Request) -> web.Response:
        """The whole text at once, as Tabby's server answers; a closed connection cancels this handler."""
        body: dict[str, Any] = await request.json()
        segments = body.get("segments") or {}
        context = Context(
            typed="",
            before=clean(segments.get("prefix") or ""),
            after=clean(segments.get("suffix") or ""),
            path=segments.get("filepath") or "",
            language=body.get("language") or "",
        )
        stream = self._backend.generate(Asked(context, "multi", TABBY_MAX_TOKENS))
        async with contextlib.aclosing(stream):
            text = "".join([piece async for piece, _ in stream])
        return web.json_response({"id": "cmpl-bench", "choices": [{"index": 0, "text": text}]})

    async def continue_fim(self, request: web.Request) -> web.StreamResponse:
        """One JSON line a token."""
        body: dict[str, Any] = await request.json()
        path = unquote(urlsplit(body.get("path") or "").path).rpartition("/")[2]
        context = Context(before=clean(body["prefix"]), after=clean(body["suffix"]), path=path)
        response = web.StreamResponse()
        stream = self._backend.generate(Asked(context, "multi", CONTINUE_MAX_TOKENS))
        async with contextlib.aclosing(stream):
            try:
                await response.prepare(request)
                async for piece, _ in stream:
                    await response.write(json.dumps({"text": piece}).encode() + b"\n")
            except ConnectionError:
                pass  # Continue has what it wants, or wants something else: closing the stream cancels the rest
        return response

    async def session(self, request: web.Request) -> web.WebSocketResponse:
        """An edge as far as one client needs it."""
        socket = web.WebSocketResponse(protocols=[SUBPROTOCOL], compress=False)
        await socket.prepare(request)
        session = _Session(socket, self._backend)
        try:
            async for message in socket:
                if message.type is WSMsgType.BINARY:
                    await session.receive(message.data)
        finally:
            await session.end()
        return socket


class _Session:
    """One connection of foretype-lsp. What is superseded is cancelled, as a proxy does that lets nothing attach."""

    def __init__(self, socket: web.WebSocketResponse, backend: Backend) -> None:
        self._socket = socket
        self._backend = backend
        self._contexts = ContextStore(CONTEXT_BYTES)
        self._running: dict[int, asyncio.Task[None]] = {}

    async def receive(self, data: bytes) -> None:
        try:
            frame = decode_from_client(data)
        except ProtocolError:
            return
        if isinstance(frame, Hello):
            await self._send(Welcome(session="bench", region="bench", models=[ModelInfo(name="stand-in")]))
        elif isinstance(frame, Complete):
            try:
                context = self._contexts.receive(frame)
            except ContextUnknownError:
                await self._send(Resend(id=frame.id, doc=frame.doc))
                return
            await self._cancel(frame.supersedes)
            self._running[frame.id] = asyncio.create_task(self._answer(frame, context))
        elif isinstance(frame, Cancel):
            await self._cancel(frame.ids)
        elif isinstance(frame, Forget):
            for doc in frame.docs:
                self._contexts.forget(doc)

    async def _answer(self, frame: Complete, context: Context) -> None:
        purpose: Purpose = "prefetch" if frame.kind == "prefetch" else "foreground"
        asked = Asked(context, frame.lines, frame.max_tokens, purpose, tuple(frame.stop))
        offset = tokens = 0
        reason: DoneReason = "cancelled"
        stream = self._backend.generate(asked)
        try:
            async with contextlib.aclosing(stream):
                async for piece, count in stream:
                    tokens += count
                    await self._send(Tokens(items=[TokenBatch(id=frame.id, offset=offset, text=piece, tokens=count)]))
                    offset += len(piece)
            reason = "length" if tokens >= frame.max_tokens else "stop"
        finally:
            self._running.pop(frame.id, None)
            usage = Usage(generated_tokens=tokens)
            said = asked.said
            await self._send(
                Done(
                    id=frame.id,
                    reason=reason,
                    model=said.model,
                    usage=usage,
                    mean_logprob=said.mean_logprob,
                    first_logprob=said.first_logprob,
                )
            )

    async def _cancel(self, ids: list[int]) -> None:
        for id in ids:
            if (task := self._running.get(id)) is not None:
                task.cancel()

    async def _send(self, frame: Any) -> None:
        if not self._socket.closed:
            with contextlib.suppress(ConnectionError):
                await self._socket.send_bytes(encode(frame))

    async def end(self) -> None:
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
