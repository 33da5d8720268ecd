"""A fake edge in a network that lets no WebSocket through: upgrades are refused, streams over HTTP are served."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable

from aiohttp import web

from wire_protocol.addresses import SESSION_PATH
from wire_protocol.codec import decode_from_client, encode
from wire_protocol.frames import AnyFrame, Complete, Hello, Welcome
from wire_protocol.streams import STREAM_HEADER, STREAM_PATH, split


class FakeStreamEdge:
    """Streams as `edge_proxy.stream` serves them, as far as a client sees."""

    def __init__(self) -> None:
        self.hellos: list[Hello] = []
        self.received: list[AnyFrame] = []
        self.posts: list[int] = []
        """Frames in each POST."""
        self.upgrades = 0
        self.blocked_status = 403
        self.upload_status = 204
        self.stream_status = 200
        self.hold = asyncio.Event()
        """POSTs are answered while it is set."""
        self.hold.set()
        self.on_hello: Callable[[Hello], AnyFrame] = lambda hello: Welcome(session="s")
        self.answer: Callable[[Complete], list[AnyFrame]] = lambda complete: []
        self.port = 0
        self._answer: web.StreamResponse | None = None
        self._over = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}{SESSION_PATH}"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get(SESSION_PATH, self._refuse)
        app.router.add_post(STREAM_PATH, self._open)
        app.router.add_post(STREAM_PATH + "/name", self._upload)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        assert self._runner is not None
        self._over.set()
        self.hold.set()
        await self._runner.cleanup()

    def hang_up(self) -> None:
        """End the stream."""
        self._over.set()

    async def _refuse(self, request: web.Request) -> web.Response:
        self.upgrades += 1
        return web.Response(status=self.blocked_status)

    async def _open(self, request: web.Request) -> web.StreamResponse:
        if self.stream_status != 200:
            return web.Response(status=self.stream_status)
        hello = decode_from_client(await request.read())
        assert isinstance(hello, Hello)
        self.hellos.append(hello)
        self._over.clear()
        self._answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", STREAM_HEADER: "name"})
        await self._answer.prepare(request)
        await self._answer.write(b": hello\n\n")
        await self.send(self.on_hello(hello))
        await self._over.wait()
        return self._answer

    async def send(self, frame: AnyFrame) -> None:
        assert self._answer is not None
        await self._answer.write(b"data: " + b64encode(encode(frame)) + b"\n\n")

    async def _upload(self, request: web.Request) -> web.Response:
        frames = [decode_from_client(frame) for frame in split(await request.read())]
        self.posts.append(len(frames))
        self.received += frames
        await self.hold.wait()
        for frame in frames:
            if isinstance(frame, Complete):
                for answer in self.answer(frame):
                    await self.send(answer)
        return web.Response(status=self.upload_status)
