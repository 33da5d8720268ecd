"""Where no WebSocket gets through, the session runs over HTTP, and nothing else changes."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

import pytest
from fake_peer import PATIENCE, FakePeer, ask, collect, echo, is_full, until
from fake_stream import FakeStreamEdge

from lsp_server.sources import reach as reach_room
from lsp_server.sources.base import SourceUnavailableError
from lsp_server.sources.edge import EdgeSource
from lsp_server.sources.handshake import DialError
from lsp_server.sources.outward import Outward
from lsp_server.sources.reach import REMEMBER_S, Reach
from lsp_server.sources.stream_wire import stream_url
from lsp_server.sources.wire import WireClosedError
from wire_protocol.codec import encode
from wire_protocol.frames import Cancel, Complete, Error, Forget


@pytest.fixture
async def blocked() -> AsyncIterator[FakeStreamEdge]:
    edge = FakeStreamEdge()
    await edge.start()
    yield edge
    await edge.stop()


@pytest.fixture
async def source(blocked: FakeStreamEdge) -> AsyncIterator[EdgeSource]:
    source = EdgeSource([blocked.url], "secret-token", uniform=lambda: 0.0)
    await source.start()
    yield source
    await source.close()


class FakeClock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def reach(clock: FakeClock | None = None) -> Reach:
    return Reach("secret-token", Outward(), clock or FakeClock())


async def test_an_answer_comes_over_http(blocked: FakeStreamEdge, source: EdgeSource) -> None:
    blocked.answer = echo("return 1")
    text, ended = await collect(source.generate(ask()))
    assert (text, ended.reason) == ("return 1", "stop")
    assert blocked.hellos[0].token == "secret-token"
    assert "over HTTP" in source.statuses()[0].detail


async def test_contexts_go_as_deltas_and_cancels_go_up(blocked: FakeStreamEdge, source: EdgeSource) -> None:
    blocked.answer = echo("x")
    await collect(source.generate(ask("a")))
    blocked.answer = lambda complete: []
    request = ask("ab")
    async with contextlib.aclosing(source.generate(request)) as answer:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(anext(answer), 0.05)
    await until(lambda: Cancel(ids=[request.id]) in blocked.received)
    completes = [frame for frame in blocked.received if isinstance(frame, Complete)]
    assert [is_full(complete) for complete in completes] == [True, False]


async def test_frames_that_wait_for_a_post_share_the_next(blocked: FakeStreamEdge) -> None:
    opened = await reach().open(blocked.url)
    blocked.hold.clear()
    for number in range(4):
        await opened.wire.send(encode(Forget(docs=[str(number)])))
        await until(lambda: bool(blocked.posts))
    blocked.hold.set()
    await until(lambda: len(blocked.received) == 4)
    assert blocked.posts == [1, 3]
    assert [frame.docs for frame in blocked.received if isinstance(frame, Forget)] == [["0"], ["1"], ["2"], ["3"]]
    opened.wire.abort()


async def test_a_ping_is_an_empty_post(blocked: FakeStreamEdge) -> None:
    opened = await reach().open(blocked.url)
    assert 0.0 < await opened.wire.ping() < PATIENCE
    assert blocked.posts == [0]
    opened.wire.abort()


async def test_a_stream_that_ends_or_takes_no_posts_is_lost(blocked: FakeStreamEdge) -> None:
    opened = await reach().open(blocked.url)
    blocked.hang_up()
    with pytest.raises(WireClosedError):
        await opened.wire.recv()
    with pytest.raises(WireClosedError):
        await opened.wire.send(b"x")
    other = await reach().open(blocked.url)
    blocked.upload_status = 404
    with pytest.raises(WireClosedError):
        await other.wire.ping()
    with pytest.raises(WireClosedError):
        await other.wire.recv()
    opened.wire.abort()
    other.wire.abort()


async def test_a_lost_stream_is_opened_again_and_contexts_are_full(blocked: FakeStreamEdge, source: EdgeSource) -> None:
    blocked.answer = echo("x")
    await collect(source.generate(ask("a")))
    blocked.hang_up()
    await until(lambda: len(blocked.hellos) == 2)
    await until(lambda: source.state == "ready")
    await collect(source.generate(ask("ab")))
    completes = [frame for frame in blocked.received if isinstance(frame, Complete)]
    assert [is_full(complete) for complete in completes] == [True, True]
    assert blocked.upgrades == 1


async def test_what_the_network_blocks_is_remembered_for_a_while_and_forgotten_elsewhere(
    blocked: FakeStreamEdge,
) -> None:
    clock = FakeClock()
    way = reach(clock)
    for _ in range(2):
        (await way.open(blocked.url)).wire.abort()
    assert blocked.upgrades == 1
    clock.now += REMEMBER_S
    (await way.open(blocked.url)).wire.abort()
    assert blocked.upgrades == 2
    way.forget()
    (await way.open(blocked.url)).wire.abort()
    assert blocked.upgrades == 3


async def test_an_edge_whose_websocket_once_worked_is_not_taken_for_blocked(
    edge: FakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = reach()
    (await way.open(edge.url)).wire.abort()
    await edge.stop()
    other = FakeStreamEdge()
    other.port = edge.port
    await other.start()
    try:
        with pytest.raises(DialError):
            await way.open(edge.url)
        assert other.hellos == []
    finally:
        await other.stop()


async def test_an_upgrade_that_is_swallowed_ends_in_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach_room, "OPEN_TIMEOUT_S", 0.1)
    edge = FakeStreamEdge()
    over = asyncio.Event()

    async def swallow(request: object) -> None:
        await over.wait()

    edge._refuse = swallow  # type: ignore[method-assign, assignment]  # never answers
    await edge.start()
    opened = await reach().open(edge.url)
    opened.wire.abort()
    over.set()
    await edge.stop()
    assert len(edge.hellos) == 1


async def test_without_streams_the_websockets_failure_is_told(blocked: FakeStreamEdge) -> None:
    blocked.stream_status = 404
    blocked.blocked_status = 418
    with pytest.raises(DialError, match="418"):
        await reach().open(blocked.url)


async def test_without_aiohttp_the_websockets_failure_is_told(
    blocked: FakeStreamEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lsp_server.sources.stream_wire", None)
    with pytest.raises(DialError, match="403"):
        await reach().open(blocked.url)


async def test_a_refused_token_is_told_from_the_stream(blocked: FakeStreamEdge) -> None:
    blocked.on_hello = lambda hello: Error(code="auth", message="The token is not known.")
    with pytest.raises(DialError, match=r"edge\.token") as caught:
        await reach().open(blocked.url)
    assert caught.value.pause_s is not None


async def test_closing_sends_what_waits(blocked: FakeStreamEdge) -> None:
    opened = await reach().open(blocked.url)
    await opened.wire.send(encode(Forget(docs=["last"])))
    await opened.wire.close()
    assert blocked.received == [Forget(docs=["last"])]


async def test_a_request_in_flight_fails_when_the_stream_is_lost(blocked: FakeStreamEdge, source: EdgeSource) -> None:
    answer = asyncio.create_task(collect(source.generate(ask())))
    await until(lambda: bool(blocked.received))
    blocked.hang_up()
    with pytest.raises(SourceUnavailableError):
        await answer


@pytest.mark.parametrize(
    ("url", "stream"),
    [
        ("ws://h:1/v1/session", "http://h:1/v1/session/stream"),
        ("wss://h/v1/session", "https://h/v1/session/stream"),
        ("wss://h/base/v1/session?key=1", "https://h/base/v1/session/stream?key=1"),
    ],
)
def test_streams_are_offered_beside_the_websocket(url: str, stream: str) -> None:
    assert stream_url(url) == stream
