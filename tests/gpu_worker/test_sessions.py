"""Sessions over real WebSockets, with a fake engine: hello, credits, answers, cancel, bad frames, drain."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer
from hang_up import hang_up

from gpu_worker.app import close_sessions, create_app
from gpu_worker.engines.base import Chunk, Engine, EngineStats, Event, Finished, Readiness, Request
from gpu_worker.hub import Hub
from gpu_worker.outbox import MAX_CHARS
from gpu_worker.session import Session
from wire_protocol.bad_frames import ALLOWED
from wire_protocol.codec import decode_to_proxy, encode
from wire_protocol.frames import (
    SUBPROTOCOL,
    AnyFrame,
    Auth,
    Cancel,
    Context,
    Credit,
    Done,
    Error,
    Forget,
    GoAway,
    Hello,
    Kind,
    Limits,
    ModelInfo,
    Promote,
    Stats,
    Submit,
    TokenBatch,
    Tokens,
    Usage,
    Welcome,
)

WAIT_SECONDS = 10.0
Wanted = TypeVar("Wanted")


class FakeEngine(Engine):
    """Says what the test puts into a request's queue."""

    def __init__(self, capacity: int = 4) -> None:
        self._capacity = capacity
        self.requests: dict[int, Request] = {}
        self.events: dict[int, asyncio.Queue[Event]] = {}
        self.forgotten: list[str] = []
        self.promoted: list[tuple[int, Kind, int, float]] = []
        self.state = Readiness(True)
        self.arrived = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.broken = False

    @property
    def name(self) -> str:
        return "fake"

    @property
    def model(self) -> ModelInfo:
        return ModelInfo(name="fake-model", context_tokens=2_048)

    @property
    def capacity(self) -> int:
        return self._capacity

    async def start(self) -> None:
        pass

    def readiness(self) -> Readiness:
        return self.state

    async def generate(self, request: Request) -> AsyncIterator[Event]:
        if self.broken:
            raise ValueError("broken engine")
        self.requests[request.key] = request
        queue = self.events[request.key] = asyncio.Queue()
        self.arrived.set()
        while True:
            event = await queue.get()
            yield event
            if isinstance(event, Finished):
                return

    def cancel(self, key: int) -> None:
        if key in self.events:
            self.cancelled.set()
            self.events[key].put_nowait(Finished("cancelled"))

    def promote(self, key: int, kind: Kind, priority: int, give_up_ms: float) -> None:
        if key in self.requests:
            self.promoted.append((key, kind, priority, give_up_ms))

    def forget(self, docs: Iterable[str]) -> None:
        self.forgotten += docs

    def stats(self) -> EngineStats:
        return EngineStats(running=len(self.requests))

    async def close(self) -> None:
        pass

    async def say(self, number: int, *events: Event) -> None:
        """Let the `number`-th request (from 1) give these events, once it is there."""
        async with asyncio.timeout(WAIT_SECONDS):
            while number not in self.events:
                self.arrived.clear()
                await self.arrived.wait()
        for event in events:
            self.events[number].put_nowait(event)


class FakeSlowSocket:
    """Takes frames from when it is told to, none at once."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.may_send = asyncio.Event()
        self.sent: list[str] = []

    async def send_bytes(self, data: bytes) -> None:
        self.asked.set()
        await self.may_send.wait()
        await asyncio.sleep(0)
        frame = decode_to_proxy(data)
        assert isinstance(frame, Error)
        self.sent.append(frame.message)

    async def close(self, **_: Any) -> None:
        self.sent.append("closed")


class Proxy:
    """The other side of a session, as a test drives it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def send(self, frame: AnyFrame) -> None:
        await self.socket.send_bytes(encode(frame))

    async def next(self) -> Any:
        """The next frame, or the close code when the session has ended."""
        async with asyncio.timeout(WAIT_SECONDS):
            message = await self.socket.receive()
        if message.type is WSMsgType.BINARY:
            return decode_to_proxy(message.data)
        return self.socket.close_code

    async def until(self, kind: type[Wanted]) -> Wanted:
        """The next frame of this type; others are passed over."""
        while not isinstance(frame := await self.next(), kind):
            assert not isinstance(frame, int | None), f"closed with {frame}"
        return frame


class Bench:
    """A hub with a fake engine behind a real HTTP server."""

    def __init__(self, engine: FakeEngine, hub: Hub, app: web.Application, client: TestClient[Any, Any]) -> None:
        self.engine, self.hub, self.app, self.client = engine, hub, app, client

    @asynccontextmanager
    async def connect(self, **hello: Any) -> AsyncIterator[Proxy]:
        """A welcomed session that has its first credits."""
        async with self.client.ws_connect("/v1/session", protocols=[SUBPROTOCOL]) as socket:
            proxy = Proxy(socket)
            await proxy.send(Hello(**hello))
            await proxy.until(Welcome)
            await proxy.until(Credit)
            yield proxy


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    engine = FakeEngine()
    hub = Hub(engine, limits=Limits(frame_bytes=4_096), clock=lambda: 0.0)
    app = create_app(hub)
    async with TestClient(TestServer(app)) as client:
        yield Bench(engine, hub, app, client)


@pytest.fixture
async def guarded() -> AsyncIterator[Bench]:
    engine = FakeEngine()
    hub = Hub(engine, tokens=["correct horse"], clock=lambda: 0.0)
    app = create_app(hub)
    async with TestClient(TestServer(app)) as client:
        yield Bench(engine, hub, app, client)


def submit(id: int, **fields: Any) -> Submit:
    return Submit(id=id, context=Context(before="x"), **fields)


async def test_hello_is_answered_with_the_model_and_the_first_credits(bench: Bench) -> None:
    async with bench.client.ws_connect("/v1/session", protocols=[SUBPROTOCOL]) as socket:
        proxy = Proxy(socket)
        await proxy.send(Hello(client="test"))
        welcome = await proxy.next()
        assert (welcome.models, welcome.limits) == ([bench.engine.model], bench.hub.limits)
        assert await proxy.next() == Credit(grant=4)


async def test_the_welcome_tells_proxies_the_tier_that_the_operator_gave() -> None:
    hub = Hub(FakeEngine(), clock=lambda: 0.0, tier="large")
    async with (
        TestClient(TestServer(create_app(hub))) as client,
        client.ws_connect("/v1/session", protocols=[SUBPROTOCOL]) as socket,
    ):
        proxy = Proxy(socket)
        await proxy.send(Hello())
        (model,) = (await proxy.until(Welcome)).models
        assert (model.name, model.tier) == ("fake-model", "large")


async def test_an_answer_is_streamed_and_done_once(bench: Bench) -> None:
    async with bench.connect() as proxy:
        await proxy.send(submit(7, doc="d", kind="invoked", stop=["END"], cache_salt="tenant"))
        await bench.engine.say(1, Chunk("héllo", 2))
        assert await proxy.next() == Tokens(items=[TokenBatch(id=7, offset=0, text="héllo", tokens=2)])
        await bench.engine.say(1, Chunk(" x", 1), Finished("stop", Usage(prompt_tokens=9, generated_tokens=3)))
        assert await proxy.next() == Tokens(items=[TokenBatch(id=7, offset=5, text=" x", tokens=1)])
        done = await proxy.next()
        assert (done.id, done.reason, done.model, done.usage.prompt_tokens) == (7, "stop", "fake-model", 9)
        assert await proxy.next() == Credit(grant=1)
        request = bench.engine.requests[1]
        assert (request.doc, request.kind, request.stop, request.cache_salt) == ("d", "invoked", ("END",), "tenant")


async def test_the_text_of_one_step_leaves_in_one_frame(bench: Bench) -> None:
    async with bench.connect() as proxy:
        await proxy.send(submit(1))
        await proxy.send(submit(2))
        await bench.engine.say(2)
        await bench.engine.say(1, Chunk("a", 1))
        await bench.engine.say(2, Chunk("b", 1))
        frame = await proxy.next()
        assert [(item.id, item.text) for item in frame.items] == [(1, "a"), (2, "b")]


async def test_cancel_gives_done_cancelled(bench: Bench) -> None:
    async with bench.connect() as proxy:
        await proxy.send(submit(7))
        await bench.engine.say(1)
        await proxy.send(Cancel(ids=[7, 99]))
        done = await proxy.until(Done)
        assert (done.id, done.reason) == (7, "cancelled")


async def test_a_cancel_right_behind_its_submit_is_not_lost(bench: Bench) -> None:
    async with bench.connect() as proxy:
        for id in range(20):
            await asyncio.gather(proxy.send(submit(id)), proxy.send(Cancel(ids=[id])))
            done = await proxy.until(Done)
            assert (done.id, done.reason) == (id, "cancelled")
            await proxy.until(Credit)


async def test_a_disconnect_cancels_its_requests(bench: Bench) -> None:
    async with bench.connect() as proxy:
        await proxy.send(submit(7))
        await bench.engine.say(1)
    async with asyncio.timeout(WAIT_SECONDS):
        await bench.engine.cancelled.wait()
    assert list(bench.engine.requests) == [1]


async def test_a_peer_that_leaves_too_much_unread_is_cut(bench: Bench) -> None:
    async with bench.connect() as proxy:
        await proxy.send(submit(7))
        await bench.engine.say(1, *(Chunk("x" * MAX_CHARS, 1) for _ in range(2)))
        async with asyncio.timeout(WAIT_SECONDS):
            await bench.engine.cancelled.wait()
        assert await proxy.next() == aiohttp.WSCloseCode.ABNORMAL_CLOSURE


async def test_capacity_is_divided_among_connections_and_given_back(bench: Bench) -> None:
    async with bench.connect() as first:
        async with bench.connect():
            assert await first.next() == Credit(grant=-2)
        assert await first.next() == Credit(grant=2)


async def test_a_submit_beyond_the_credits_is_shed(bench: Bench) -> None:
    async with bench.connect() as proxy:
        for id in range(5):
            await proxy.send(submit(id))
        done = await proxy.until(Done)
        assert (done.id, done.reason) == (4, "shed")
        assert "credits" in done.message


async def test_while_the_engine_is_not_ready_requests_are_shed_with_its_reason(bench: Bench) -> None:
    async with bench.connect() as proxy:
        bench.engine.state = Readiness(False, "The server is away.")
        await proxy.send(submit(1))
        done = await proxy.until(Done)
        assert (done.reason, done.message) == ("shed", "The server is away.")


async def test_credits_are_withdrawn_while_the_engine_is_not_ready(bench: Bench) -> None:
    async with bench.connect() as proxy:
        bench.engine.state = Readiness(False, "away")
        bench.hub.tick()
        assert await proxy.next() == Credit(grant=-4)
        bench.engine.state = Readiness(True)
        bench.hub.tick()
        assert await proxy.next() == Credit(grant=4)


async def test_an_engine_that_fails_gives_done_error_and_the_session_goes_on(bench: Bench) -> None:
    async with bench.connect() as proxy:
        bench.engine.broken = True
        await proxy.send(submit(1))
        assert (await proxy.until(Done)).reason == "error"
        bench.engine.broken = False
        await proxy.send(submit(2))
        await bench.engine.say(2, Finished("stop"))
        assert (await proxy.until(Done)).id == 2


async def test_an_adapter_that_is_not_there_is_an_error_not_another_model(bench: Bench) -> None:
    async with bench.connect() as proxy:
        await proxy.send(submit(1, adapter="team-a"))
        done = await proxy.until(Done)
        assert done.reason == "error"
        assert "team-a" in done.message


async def test_an_id_that_is_running_is_refused(bench: Bench) -> None:
    async with bench.connect() as proxy:
        await proxy.send(submit(1))
        await proxy.send(submit(1))
        error = await proxy.until(Error)
        assert (error.code, error.id) == ("invalid", 1)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"\xc1", "malformed"),
        (encode(Welcome(session="s")), "unexpected"),
        (encode(Hello()), "unexpected"),
        (b"\x81\xa4type\xa3xyz", "unknown_type"),
        (b"\x81\xa4type\xa6submit", "invalid"),
        (encode(Submit(id=1, context=Context(before="x" * 5_000))), "too_large"),
    ],
)
async def test_a_bad_frame_is_answered_and_the_session_goes_on(bench: Bench, message: bytes, code: str) -> None:
    async with bench.connect() as proxy:
        await proxy.socket.send_bytes(message)
        assert (await proxy.until(Error)).code == code
        await proxy.send(submit(1))
        await bench.engine.say(1, Finished("stop"))
        assert (await proxy.until(Done)).id == 1


async def test_a_text_message_is_malformed(bench: Bench) -> None:
    async with bench.connect() as proxy:
        await proxy.socket.send_str("hello")
        assert (await proxy.until(Error)).code == "malformed"


async def test_too_many_bad_frames_end_the_session(bench: Bench) -> None:
    async with bench.connect() as proxy:
        for _ in range(ALLOWED + 1):
            await proxy.socket.send_bytes(b"\xc1")
        codes = [(await proxy.until(Error)).code for _ in range(ALLOWED + 2)]
        assert codes[-1] == "limit"
        assert await proxy.next() == aiohttp.WSCloseCode.POLICY_VIOLATION


@pytest.mark.parametrize(
    ("first", "code"),
    [
        (Submit(id=1, context=Context()), "unexpected"),
        (Hello(version_min=9, version_max=9), "version"),
    ],
)
async def test_a_bad_beginning_is_refused(bench: Bench, first: AnyFrame, code: str) -> None:
    async with bench.client.ws_connect("/v1/session", protocols=[SUBPROTOCOL]) as socket:
        proxy = Proxy(socket)
        await proxy.send(first)
        assert (await proxy.next()).code == code
        assert await proxy.next() == aiohttp.WSCloseCode.POLICY_VIOLATION


async def test_another_subprotocol_is_refused(bench: Bench) -> None:
    async with bench.client.ws_connect("/v1/session") as socket:
        assert (await Proxy(socket).next()).code == "version"


@pytest.mark.parametrize("token", ["", "wrong"])
async def test_a_wrong_token_is_refused(guarded: Bench, token: str) -> None:
    async with guarded.client.ws_connect("/v1/session", protocols=[SUBPROTOCOL]) as socket:
        proxy = Proxy(socket)
        await proxy.send(Hello(token=token))
        assert (await proxy.next()).code == "auth"
    assert guarded.hub.peers == 0


async def test_the_right_token_is_welcome_and_a_wrong_refresh_ends_the_session(guarded: Bench) -> None:
    async with guarded.connect(token="correct horse") as proxy:
        await proxy.send(Auth(token="wrong"))
        assert (await proxy.until(Error)).code == "auth"
        assert await proxy.next() == aiohttp.WSCloseCode.POLICY_VIOLATION


async def test_a_promotion_reaches_the_engine_under_its_own_key(bench: Bench) -> None:
    async with bench.connect() as proxy:
        await proxy.send(submit(5))
        await bench.engine.say(1)
        await proxy.send(Promote(id=4, kind="invoked"))
        await proxy.send(Promote(id=5, kind="invoked", priority=-3, give_up_ms=900))
        await proxy.send(submit(6))
        await bench.engine.say(2)
        assert bench.engine.promoted == [(1, "invoked", -3, 900)]


async def test_a_promotion_right_behind_its_submit_is_not_lost(bench: Bench) -> None:
    async with bench.connect() as proxy:
        for id in range(1, 21):
            promote = Promote(id=id, kind="invoked", priority=-3, give_up_ms=9_000)
            await asyncio.gather(proxy.send(submit(id, kind="prefetch")), proxy.send(promote))
            await proxy.send(submit(100 + id))  # once its answer is there, the promotion was read
            await bench.engine.say(2 * id, Finished("stop"))
            await bench.engine.say(2 * id - 1, Finished("stop"))
            request = bench.engine.requests[2 * id - 1]
            began = (request.key, request.kind, request.priority, request.give_up_ms)
            assert (request.key, "invoked", -3, 9_000) in (began, *bench.engine.promoted)
            await proxy.until(Done)
            await proxy.until(Done)
            await proxy.until(Credit)


async def test_what_is_flushed_at_once_by_two_keeps_its_order() -> None:
    socket = FakeSlowSocket()
    session = Session(Hub(FakeEngine(), clock=lambda: 0.0), socket, None)  # type: ignore[arg-type]
    session.send(Error(code="limit", message="first"))
    session.send(Error(code="limit", message="second"))
    one = asyncio.create_task(session._flush())
    await socket.asked.wait()
    session.send(Error(code="limit", message="third"))
    other = asyncio.create_task(session.close())
    await asyncio.sleep(0)
    socket.may_send.set()
    await asyncio.gather(one, other)
    assert socket.sent == ["first", "second", "third", "closed"]


async def test_forgotten_documents_reach_the_engine(bench: Bench) -> None:
    async with bench.connect() as proxy:
        await proxy.send(Forget(docs=["a", "b"]))
        await proxy.send(submit(1))
        await bench.engine.say(1)
        assert bench.engine.forgotten == ["a", "b"]


async def test_stats_are_told_while_busy_and_once_after(bench: Bench) -> None:
    async with bench.connect() as proxy:
        await proxy.send(submit(1))
        await bench.engine.say(1)
        bench.hub.tick()
        assert (await proxy.until(Stats)).running == 1
        await bench.engine.say(1, Finished("stop"))
        await proxy.until(Done)
        bench.hub.tick()
        await proxy.until(Stats)
        bench.hub.tick()
        await proxy.send(submit(2))
        await bench.engine.say(2, Finished("stop"))
        assert isinstance(await proxy.next(), Done | Credit)


async def test_a_drain_finishes_what_runs_and_takes_nothing_new(bench: Bench) -> None:
    async with bench.connect() as proxy:
        await proxy.send(submit(1))
        await bench.engine.say(1)
        drain = asyncio.create_task(bench.hub.drain(WAIT_SECONDS))
        assert (await proxy.until(GoAway)).within_ms == WAIT_SECONDS * 1_000
        assert (await proxy.until(Stats)).draining
        await proxy.send(submit(2))
        refused = await proxy.until(Done)
        assert (refused.id, refused.reason) == (2, "shed")
        assert (await bench.client.get("/readyz")).status == 503
        await bench.engine.say(1, Finished("stop"))
        assert (await proxy.until(Done)).id == 1
        await drain
        closing = asyncio.create_task(close_sessions(bench.app))
        while isinstance(frame := await proxy.next(), Credit):
            pass
        assert frame == aiohttp.WSCloseCode.GOING_AWAY
        await closing


async def test_a_drain_cancels_what_does_not_finish_in_time(bench: Bench) -> None:
    async with bench.connect() as proxy:
        await proxy.send(submit(1))
        await bench.engine.say(1)
        await bench.hub.drain(0.0)
        assert (await proxy.until(Done)).reason == "cancelled"


async def test_health_readiness_and_metrics(bench: Bench) -> None:
    async with bench.connect() as proxy:
        await proxy.send(submit(1))
        await bench.engine.say(1, Finished("stop", Usage(prompt_tokens=10, reused_tokens=8, generated_tokens=3)))
        await proxy.until(Done)
        await proxy.until(Credit)
        assert (await bench.client.get("/healthz")).status == 200
        assert await (await bench.client.get("/readyz")).json() == {
            "ready": True,
            "engine": "fake",
            "model": "fake-model",
        }
        text = await (await bench.client.get("/metrics")).text()
    assert 'foretype_worker_requests_total{kind="automatic",reason="stop"} 1.0' in text
    assert "foretype_worker_reused_tokens_total 8.0" in text
    assert "foretype_worker_sessions 1.0" in text


async def test_readiness_gives_the_engines_reason(bench: Bench) -> None:
    bench.engine.state = Readiness(False, "The server is away.")
    response = await bench.client.get("/readyz")
    assert (response.status, (await response.json())["reason"]) == (503, "The server is away.")


async def test_a_plain_get_of_the_session_is_told_what_it_is(bench: Bench) -> None:
    response = await bench.client.get("/v1/session")
    assert response.status == 426
    assert "WebSocket" in await response.text()


@pytest.mark.parametrize("hello", [False, True])
async def test_a_peer_that_hangs_up_in_the_handshake_leaves_no_error(
    bench: Bench, hello: bool, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(20):
        await hang_up("127.0.0.1", bench.client.port or 0, hello=hello)
    async with bench.connect():
        assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_retired_session_ends_when_its_last_request_does(bench: Bench) -> None:
    async with bench.connect() as proxy:
        await proxy.send(submit(1))
        await bench.engine.say(1)
        bench.hub.model_changed(5.0)
        assert await proxy.until(GoAway)
        await bench.engine.say(1, Finished("stop"))
        done = await proxy.until(Done)
        assert (done.id, done.reason) == (1, "stop")
        while not isinstance(frame := await proxy.next(), int):
            assert isinstance(frame, Credit)
        assert frame == aiohttp.WSCloseCode.GOING_AWAY
