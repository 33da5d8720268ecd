"""Fakes for the edge's tests: a worker and a client that speak the wire protocol, a proxy in this process, a clock."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from edge_proxy.addresses import parse_worker
from edge_proxy.app import EdgeApp
from edge_proxy.auth import Authenticator, Gatekeeper
from edge_proxy.config import CacheSettings, Config, LimitSettings
from edge_proxy.near_match.settings import NearMatchSettings
from edge_proxy.tenancy.allowances import TenantPolicy
from wire_protocol.addresses import TcpAddress
from wire_protocol.codec import decode_from_proxy, decode_to_client, encode
from wire_protocol.frames import (
    SUBPROTOCOL,
    AnyFrame,
    Cancel,
    Complete,
    Context,
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

PATIENCE = 10.0
"""Seconds after which a test that waits for something has failed."""

T = TypeVar("T")


class FakeClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class FakeWorker:
    """A worker's end of the protocol: grants credits, notes what it is sent, and says what a test tells it to."""

    def __init__(self, credits: int = 4, name: str = "fake") -> None:
        self.credits = credits
        self.name = name
        self.hellos: list[Hello] = []
        self.submits: asyncio.Queue[Submit] = asyncio.Queue()
        self.cancels: asyncio.Queue[Cancel] = asyncio.Queue()
        self.url = ""
        self._socket: web.WebSocketResponse | None = None
        self._transport: asyncio.Transport | None = None
        self._runner: web.AppRunner | None = None

    async def start(self, unix_path: str | None = None) -> None:
        if self._runner is not None:
            return
        app = web.Application()
        app.router.add_get("/v1/session", self._session)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        if unix_path is not None:
            await web.UnixSite(self._runner, unix_path).start()
            self.url = f"unix:{unix_path}"
        else:
            await web.TCPSite(self._runner, "127.0.0.1", 0).start()
            self.url = f"ws://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def kill(self) -> None:
        """As `kill -9` does: the connection is reset, and nobody listens any more."""
        assert self._transport is not None
        self._transport.abort()
        await self.stop()

    async def _session(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=(SUBPROTOCOL,), compress=False, timeout=0.1)
        await socket.prepare(request)
        self._socket, self._transport = socket, request.transport
        async for message in socket:
            match decode_from_proxy(message.data):
                case Hello() as hello:
                    self.hellos.append(hello)
                    await self.send(Welcome(session="w", models=[ModelInfo(name=self.name)]))
                    if self.credits:
                        await self.send(Credit(grant=self.credits))
                case Submit() as submit:
                    self.submits.put_nowait(submit)
                case Cancel() as cancel:
                    self.cancels.put_nowait(cancel)
        return socket

    async def send(self, *frames: AnyFrame) -> None:
        assert self._socket is not None
        for frame in frames:
            await self._socket.send_bytes(encode(frame))

    async def submit(self) -> Submit:
        """The next submit it is sent."""
        return await patient(self.submits.get())

    async def cancel(self) -> Cancel:
        """The next cancel it is sent."""
        return await patient(self.cancels.get())

    async def say(self, submit: Submit, text: str, offset: int = 0, tokens: int = 1) -> None:
        """Stream text of an answer."""
        await self.send(Tokens(items=[TokenBatch(id=submit.id, offset=offset, text=text, tokens=tokens)]))

    async def finish(self, submit: Submit, reason: DoneReason = "stop", message: str = "") -> None:
        """End an answer and take one more."""
        usage = Usage(prompt_tokens=100, reused_tokens=90, generated_tokens=3)
        await self.send(Done(id=submit.id, reason=reason, message=message, usage=usage), Credit(grant=1))


async def patient(waited_for: Awaitable[T]) -> T:
    """The result of `waited_for`; fails the test where it does not come."""
    async with asyncio.timeout(PATIENCE):
        return await waited_for


async def one_turn() -> None:
    """Let everything else run once."""
    await asyncio.sleep(0)


class FakeClient:
    """A client's end of the protocol."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self._texts: dict[int, str] = {}
        self._ends: dict[int, Done] = {}

    async def send(self, *frames: AnyFrame) -> None:
        for frame in frames:
            await self.socket.send_bytes(encode(frame))

    async def receive(self) -> Any:
        """The next frame; fails if the connection closes instead."""
        message = await patient(self.socket.receive())
        assert message.type is aiohttp.WSMsgType.BINARY, f"the proxy closed with {self.socket.close_code}"
        return decode_to_client(message.data)

    async def close_code(self) -> int | None:
        """The code the proxy closes with; frames on the way are passed over."""
        while (await patient(self.socket.receive())).type is aiohttp.WSMsgType.BINARY:
            pass
        return self.socket.close_code

    async def hello(self, token: str = "") -> Welcome:
        await self.send(Hello(token=token, client="fake"))
        welcome = await self.receive()
        assert isinstance(welcome, Welcome)
        return welcome

    async def answer(self, id: int) -> tuple[str, Done]:
        """The whole text of answer `id` and its end; offsets have to fit."""
        while id not in self._ends:
            frame = await self.receive()
            if isinstance(frame, Tokens):
                for item in frame.items:
                    text = self._texts.setdefault(item.id, "")
                    assert item.offset == len(text)
                    self._texts[item.id] = text + item.text
            elif isinstance(frame, Done):
                assert frame.id not in self._ends, "a second end"
                self._ends[frame.id] = frame
        return self._texts.get(id, ""), self._ends[id]


class RunningEdge:
    """A proxy in this process, with its real HTTP surface."""

    def __init__(self, app: EdgeApp, server: TestServer, http: aiohttp.ClientSession) -> None:
        self.app = app
        self.server = server
        self.http = http

    async def connect(self, protocols: tuple[str, ...] = (SUBPROTOCOL,)) -> FakeClient:
        """A connection that has not said hello."""
        return FakeClient(await self.http.ws_connect(self.server.make_url("/v1/session"), protocols=protocols))

    async def client(self, token: str = "") -> FakeClient:
        """A session."""
        client = await self.connect()
        await client.hello(token)
        return client

    async def get(self, path: str) -> tuple[int, str]:
        """Status and body."""
        async with self.http.get(self.server.make_url(path)) as response:
            return response.status, await response.text()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the event loop run until `condition` holds."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await one_turn()


StartEdge = Callable[..., Awaitable[RunningEdge]]


@pytest.fixture
async def start_edge() -> AsyncIterator[StartEdge]:
    """Starts a proxy with these workers (already started) and waits until it is ready."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(
            *workers: FakeWorker,
            authenticator: Authenticator | None = None,
            limits: LimitSettings | None = None,
            grace: float = 5.0,
            cache_bytes: int = 0,
            near_match: bool = False,
            origins: tuple[str, ...] = (),
            tenants: dict[str, TenantPolicy] | None = None,
        ) -> RunningEdge:
            for worker in workers:
                await worker.start()
                stack.push_async_callback(worker.stop)
            config = Config(
                listen=TcpAddress("127.0.0.1", 0),
                workers=tuple(parse_worker(worker.url) for worker in workers),
                limits=limits or LimitSettings(),
                grace=grace,
                cache=CacheSettings(bytes=cache_bytes, near_match=NearMatchSettings(enabled=near_match)),
                region="test",
                origins=origins,
                tenants=tenants or {},
            )
            app = EdgeApp(config, authenticator or Gatekeeper(anyone=True), "worker-token", draw=lambda: 0.0)
            server = TestServer(app.web_app())
            await server.start_server()
            stack.push_async_callback(server.close)
            edge = RunningEdge(app, server, await stack.enter_async_context(aiohttp.ClientSession()))
            wanted = sum(worker.credits > 0 for worker in workers)
            await edge.until(lambda: sum(worker.ready for worker in app.dispatcher.workers) == wanted)
            return edge

        yield start


@pytest.hookimpl(optionalhook=True)
def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The event loop that the proxy runs on in production."""
    if sys.platform == "win32":
        return {"asyncio": asyncio.new_event_loop}
    import uvloop  # not on Windows

    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def make_worker() -> type[FakeWorker]:
    return FakeWorker


@pytest.fixture
def complete() -> Callable[..., Complete]:
    """Makes a `complete` with a small full context; `typed` and every field can be given."""

    def make(id: int, typed: str = "", **fields: Any) -> Complete:
        context = Context(before="def add(a, b):\n", typed=typed, after="\n", path="a.py", language="python")
        whole = {"id": id, "doc": "doc", "rev": id, "context": context, **fields}
        return msgspec.convert(whole, Complete) if isinstance(whole["context"], dict) else Complete(**whole)

    return make
