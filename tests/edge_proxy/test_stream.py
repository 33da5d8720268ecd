"""Sessions over plain HTTP: the same as over a WebSocket, and as bounded."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from edge_proxy import stream
from edge_proxy.auth import TokenList
from edge_proxy.config import LimitSettings
from wire_protocol.codec import decode_to_client, encode
from wire_protocol.frames import AnyFrame, Complete, Done, Error, GoAway, Hello, Tokens, Welcome
from wire_protocol.streams import STREAM_HEADER, STREAM_PATH, join

PATIENCE = 10.0

MakeComplete = Callable[..., Complete]


class FakeStreamClient:
    """A client's end of a session over HTTP."""

    def __init__(self, edge: Any) -> None:
        self.edge = edge
        self.id = ""
        self.answer: aiohttp.ClientResponse | None = None

    def url(self, path: str = "") -> Any:
        return self.edge.server.make_url(STREAM_PATH + path)

    async def open(self, token: str = "") -> AnyFrame:
        """Say hello; the first frame."""
        self.answer = await self.edge.http.post(self.url(), data=encode(Hello(token=token)))
        assert self.answer.status == 200, await self.answer.text()
        assert self.answer.content_type == "text/event-stream"
        self.id = self.answer.headers[STREAM_HEADER]
        first = await self.receive()
        assert first is not None
        return first

    async def receive(self) -> AnyFrame | None:
        """The next frame; None at the end of the stream."""
        assert self.answer is not None
        async with asyncio.timeout(PATIENCE):
            async for line in self.answer.content:
                if line.startswith(b"data: "):
                    return decode_to_client(b64decode(line[6:]))
        return None

    async def send(self, *frames: AnyFrame | bytes) -> int:
        """The status of the POST."""
        body = join(frame if isinstance(frame, bytes) else encode(frame) for frame in frames)
        return await self.post(body)

    async def post(self, body: bytes) -> int:
        async with self.edge.http.post(self.url(f"/{self.id}"), data=body) as answer:
            status: int = answer.status
            return status


@pytest.fixture
async def opened(start_edge: Any, make_worker: Any) -> tuple[Any, Any, FakeStreamClient]:
    """A proxy, its worker, and a welcomed client."""
    worker = make_worker()
    edge = await start_edge(worker)
    client = FakeStreamClient(edge)
    assert isinstance(await client.open(), Welcome)
    return edge, worker, client


async def test_an_answer_streams_as_over_a_websocket(opened: Any, complete: MakeComplete) -> None:
    _, worker, client = opened
    assert await client.send(complete(1)) == 204
    submit = await worker.submit()
    await worker.say(submit, "return a")
    await worker.finish(submit)
    text = await client.receive()
    done = await client.receive()
    assert isinstance(text, Tokens)
    assert text.items[0].text == "return a"
    assert isinstance(done, Done)
    assert (done.id, done.reason) == (1, "stop")


async def test_several_frames_come_in_one_post_in_their_order(opened: Any, complete: MakeComplete) -> None:
    _, worker, client = opened
    await client.send(complete(1), complete(2, "r", supersedes=[1]))
    done = await client.receive()
    assert isinstance(done, Done)
    assert (done.id, done.reason) == (1, "cancelled")
    await worker.submit()


async def test_an_empty_post_is_a_ping(opened: Any) -> None:
    assert await opened[2].post(b"") == 204


async def test_a_wrong_token_gets_its_error_and_the_stream_ends(start_edge: Any, make_worker: Any) -> None:
    edge = await start_edge(make_worker(), authenticator=TokenList([("a", "right")]))
    client = FakeStreamClient(edge)
    error = await client.open("wrong")
    assert isinstance(error, Error)
    assert error.code == "auth"
    assert await client.receive() is None
    assert await client.post(b"") == 404


async def test_a_stream_that_was_never_opened_takes_nothing(opened: Any) -> None:
    client = opened[2]
    client.id = "1"
    assert await client.post(b"") == 404


async def test_a_client_that_leaves_gives_up_what_it_wanted(
    opened: Any, complete: MakeComplete, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "LOOK_SECONDS", 0.01)
    edge, worker, client = opened
    await client.send(complete(1))
    submit = await worker.submit()
    client.answer.close()
    assert (await worker.cancel()).ids == [submit.id]
    await edge.until(lambda: not edge.app.transports)


async def test_a_silent_client_is_given_up(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(stream, "SILENT_SECONDS", 0.0)
    edge, _, client = opened
    # The look that is under way lasts its second; an error ends the wait at once.
    async with asyncio.timeout(PATIENCE):
        assert await client.receive() is None
    assert not edge.app.transports


async def test_bodies_out_of_bounds_are_refused_and_the_session_goes_on(start_edge: Any, make_worker: Any) -> None:
    edge = await start_edge(make_worker(), limits=LimitSettings(frame_bytes=1_024))
    client = FakeStreamClient(edge)
    await client.open()
    assert await client.post(b"x" * 5_000) == 413
    assert await client.post(b"\x00\x00\x00\x09abc") == 400
    assert await client.send(b"\xc1") == 204
    error = await client.receive()
    assert isinstance(error, Error)
    assert error.code == "malformed"


async def test_too_many_bad_frames_end_the_stream(opened: Any) -> None:
    client = opened[2]
    assert await client.send(*[b"\xc1"] * 50) == 204
    codes = []
    while (frame := await client.receive()) is not None:
        assert isinstance(frame, Error)
        codes.append(frame.code)
    assert codes == ["malformed"] * 11 + ["limit"]


async def test_streams_count_as_sessions(start_edge: Any, make_worker: Any) -> None:
    edge = await start_edge(make_worker(), limits=LimitSettings(sessions=1))
    kept = await edge.client()
    error = await FakeStreamClient(edge).open()
    assert isinstance(error, Error)
    assert error.code == "overloaded"
    assert not kept.socket.closed


async def test_a_draining_proxy_says_goaway_on_streams_and_opens_no_more(opened: Any) -> None:
    edge, _, client = opened
    draining = asyncio.create_task(edge.app.drain())
    assert isinstance(await client.receive(), GoAway)
    await draining
    async with edge.http.post(client.url(), data=encode(Hello())) as answer:
        assert answer.status == 503


@pytest.mark.parametrize("body", [b"", b"\xc1", encode(GoAway())], ids=["nothing", "garbage", "another frame"])
async def test_what_is_no_hello_gets_an_error_and_the_stream_ends(
    start_edge: Any, make_worker: Any, body: bytes
) -> None:
    edge = await start_edge(make_worker())
    async with edge.http.post(edge.server.make_url(STREAM_PATH), data=body) as answer:
        text = await answer.text()
    (line,) = [line for line in text.splitlines() if line.startswith("data: ")]
    assert isinstance(decode_to_client(b64decode(line[6:])), Error)
    assert not edge.app.transports


async def test_what_any_web_page_could_send_is_refused(start_edge: Any, make_worker: Any) -> None:
    edge = await start_edge(make_worker())
    for headers in ({"Content-Type": "text/plain"}, {"Content-Type": ""}):
        async with edge.http.post(edge.server.make_url(STREAM_PATH), data=encode(Hello()), headers=headers) as answer:
            assert answer.status == 415
    assert not edge.app.transports


async def test_what_comes_after_the_stream_has_ended_leaves_nothing_behind(
    opened: Any, complete: MakeComplete, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "LOOK_SECONDS", 0.01)
    edge, _, client = opened
    half, rest = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield join([encode(complete(1))])[:10]
        half.set()
        await rest.wait()
        yield join([encode(complete(1))])[10:]

    headers = {"Content-Type": stream.CONTENT_TYPE}
    post = asyncio.create_task(edge.http.post(client.url(f"/{client.id}"), data=slowly(), headers=headers))
    await half.wait()
    streams = edge.app._streams._streams
    await edge.until(lambda: streams[client.id].uploading)
    client.answer.close()
    await edge.until(lambda: not edge.app.transports)
    rest.set()
    async with asyncio.timeout(PATIENCE):
        await post
    assert (edge.app._contexts.bytes_used, edge.app.dispatcher.live) == (0, 0)
