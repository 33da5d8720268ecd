"""The edge source against a fake edge on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from fake_peer import PATIENCE, FakePeer, ask, collect, echo, is_full, tokens, until

from lsp_server.sources import connection
from lsp_server.sources.base import Piece, SourceUnavailableError
from lsp_server.sources.connection import ConnectedSource
from lsp_server.sources.edge import EdgeSource
from lsp_server.sources.edge_dialect import EdgeDialect
from lsp_server.sources.handshake import AUTH_PAUSE_S, INCOMPATIBLE_PAUSE_S, DialError, Opened, open_url
from wire_protocol.codec import decode_to_client, encode
from wire_protocol.frames import (
    Cancel,
    Complete,
    Done,
    Error,
    Forget,
    GoAway,
    Limits,
    Resend,
    Welcome,
)


@pytest.fixture
async def source(edge: FakePeer) -> AsyncIterator[EdgeSource]:
    source = EdgeSource([edge.url], "secret-token", uniform=lambda: 0.0)
    await source.start()
    yield source
    await source.close()


async def test_an_answer_streams_and_ends_once(edge: FakePeer, source: EdgeSource) -> None:
    edge.answer = echo("return 1")
    text, ended = await collect(source.generate(ask()))
    assert (text, ended.reason, ended.source, ended.model) == ("return 1", "stop", "edge", "fake")
    assert source.statuses()[0].first_token_ms is not None


async def test_the_hello_carries_token_and_client(edge: FakePeer, source: EdgeSource) -> None:
    await until(lambda: source.state == "ready")
    assert (edge.hellos[0].token, edge.hellos[0].client) == ("secret-token", "foretype-lsp")


async def test_the_second_context_of_a_document_goes_as_a_delta(edge: FakePeer, source: EdgeSource) -> None:
    edge.answer = echo("x")
    await collect(source.generate(ask("a")))
    await collect(source.generate(ask("ab")))
    first, second = await edge.next(Complete), await edge.next(Complete)
    assert is_full(first)
    assert not is_full(second)
    assert second.base_rev == first.rev


async def test_a_closed_document_is_forgotten_on_both_sides(edge: FakePeer, source: EdgeSource) -> None:
    edge.answer = echo("x")
    await collect(source.generate(ask("a")))
    source.forget("doc")
    assert (await edge.next(Forget)).docs == ["doc"]
    await collect(source.generate(ask("ab")))
    assert is_full(await edge.next(Complete))


async def test_resend_brings_the_newest_live_request_with_its_full_context(edge: FakePeer, source: EdgeSource) -> None:
    edge.answer = echo("x")
    await collect(source.generate(ask("a")))
    await edge.next(Complete)
    edge.answer = lambda complete: []
    older, newer = ask("ab"), ask("abc")
    answers = [asyncio.create_task(collect(source.generate(request))) for request in (older, newer)]
    await edge.next(Complete)
    await edge.next(Complete)
    await edge.send(Resend(id=older.id, doc="doc"))
    again = await edge.next(Complete)
    assert (again.id, is_full(again)) == (newer.id, True)
    await edge.send(Done(id=older.id, reason="cancelled"))
    await edge.send(tokens(newer.id, "y"))
    await edge.send(Done(id=newer.id, reason="stop"))
    assert [(text, ended.reason) for text, ended in await asyncio.gather(*answers)] == [
        ("", "cancelled"),
        ("y", "stop"),
    ]


async def test_closing_the_generator_cancels_in_band(edge: FakePeer, source: EdgeSource) -> None:
    request = ask()
    edge.answer = lambda complete: [tokens(complete.id, "first")]
    async with contextlib.aclosing(source.generate(request)) as answer:
        assert await anext(answer) == Piece("first", "edge")
    assert (await edge.next(Cancel)).ids == [request.id]


async def test_cancelling_the_consumer_cancels_in_band(edge: FakePeer, source: EdgeSource) -> None:
    request = ask()
    consumer = asyncio.create_task(collect(source.generate(request)))
    await edge.next(Complete)
    consumer.cancel()
    assert (await edge.next(Cancel)).ids == [request.id]


async def test_an_answer_that_ended_is_not_cancelled(edge: FakePeer, source: EdgeSource) -> None:
    edge.answer = echo("x")
    await collect(source.generate(ask()))
    source.forget("other")
    frames = []
    while not frames or not isinstance(frames[-1], Forget):
        frames.append(await asyncio.wait_for(edge.received.get(), PATIENCE))
    assert not any(isinstance(frame, Cancel) for frame in frames)


async def test_text_with_a_hole_ends_the_answer_with_an_error(edge: FakePeer, source: EdgeSource) -> None:
    edge.answer = lambda complete: [tokens(complete.id, "abc"), tokens(complete.id, "f", offset=5)]
    text, ended = await collect(source.generate(ask()))
    assert (text, ended.reason) == ("abc", "error")
    await edge.next(Cancel)


async def test_an_error_frame_about_a_request_ends_it_with_its_sentence(edge: FakePeer, source: EdgeSource) -> None:
    edge.answer = lambda complete: [Error(code="limit", message="Too many.", id=complete.id)]
    _, ended = await collect(source.generate(ask()))
    assert (ended.reason, ended.message) == ("error", "Too many.")


async def test_a_shed_is_passed_on(edge: FakePeer, source: EdgeSource) -> None:
    edge.answer = lambda complete: [Done(id=complete.id, reason="shed", message="busy")]
    assert (await collect(source.generate(ask())))[1].reason == "shed"


async def test_an_edge_killed_before_the_first_token_is_unavailable(edge: FakePeer, source: EdgeSource) -> None:
    answer = asyncio.create_task(collect(source.generate(ask())))
    await edge.next(Complete)
    await edge.stop()
    with pytest.raises(SourceUnavailableError):
        await answer


async def test_an_edge_killed_in_mid_answer_ends_it_with_an_error(edge: FakePeer, source: EdgeSource) -> None:
    edge.answer = lambda complete: [tokens(complete.id, "half")]
    answer = source.generate(ask())
    assert await anext(answer) == Piece("half", "edge")
    await edge.stop()
    text, ended = await collect(answer)
    assert (text, ended.reason) == ("", "error")


async def test_it_connects_again_and_sends_full_contexts(edge: FakePeer, source: EdgeSource) -> None:
    edge.answer = echo("x")
    await collect(source.generate(ask("a")))
    await edge.next(Complete)
    await edge.stop()
    await until(lambda: source.state == "failed")
    await edge.start()
    await until(lambda: source.state == "ready")
    assert (await collect(source.generate(ask("ab"))))[0] == "x"
    assert is_full(await edge.next(Complete))


async def test_a_request_while_down_fails_at_once_and_says_why(edge: FakePeer, source: EdgeSource) -> None:
    await until(lambda: source.state == "ready")
    await edge.stop()
    await until(lambda: source.state == "failed")
    with pytest.raises(SourceUnavailableError, match=f"Nothing listens at .*{edge.port}"):
        await collect(source.generate(ask()))


async def test_close_ends_running_answers_as_cancelled(edge: FakePeer, source: EdgeSource) -> None:
    answer = asyncio.create_task(collect(source.generate(ask())))
    await edge.next(Complete)
    await source.close()
    assert (await answer)[1].reason == "cancelled"
    assert source.state == "off"


async def test_goaway_lets_running_answers_finish_while_a_new_session_takes_the_next(
    edge: FakePeer, source: EdgeSource
) -> None:
    first = ask(doc="one")
    running = asyncio.create_task(collect(source.generate(first)))
    await edge.next(Complete)
    old = edge.connections[0]
    await edge.send(GoAway(within_ms=5_000, reason="restarting"))
    await until(lambda: len(edge.connections) == 2)
    await until(lambda: source.state == "ready")
    edge.answer = echo("new")
    assert (await collect(source.generate(ask(doc="two"))))[0] == "new"
    await old.send(encode(tokens(first.id, "old")))
    await old.send(encode(Done(id=first.id, reason="stop")))
    assert (await running)[0] == "old"
    await asyncio.wait_for(old.wait_closed(), PATIENCE)


async def test_goaway_moves_to_the_next_address(edge: FakePeer) -> None:
    other = FakePeer()
    await other.start()
    source = EdgeSource([edge.url, other.url], uniform=lambda: 0.0)
    try:
        await source.start()
        await until(lambda: source.state == "ready")
        await edge.send(GoAway(within_ms=1_000))
        await until(lambda: len(other.connections) == 1)
        assert len(edge.hellos) == 1
    finally:
        await source.close()
        await other.stop()


async def test_the_second_address_answers_when_the_first_is_down(edge: FakePeer) -> None:
    source = EdgeSource(["ws://127.0.0.1:9/v1/session", edge.url])
    edge.answer = echo("x")
    await source.start()
    try:
        assert (await collect(source.generate(ask())))[0] == "x"
    finally:
        await source.close()


async def test_frames_that_cannot_be_read_do_not_end_the_session_at_once(edge: FakePeer, source: EdgeSource) -> None:
    await until(lambda: source.state == "ready")
    await edge.send(b"\xc1garbage")
    edge.answer = echo("x")
    assert (await collect(source.generate(ask())))[0] == "x"


async def test_a_peer_that_sends_only_garbage_loses_the_session(edge: FakePeer, source: EdgeSource) -> None:
    await until(lambda: len(edge.connections) == 1)
    for _ in range(10):
        await edge.connections[0].send(b"\xc1garbage")
    await until(lambda: len(edge.hellos) == 2)
    await until(lambda: source.state == "ready")
    assert edge.hellos[1].version_max == edge.hellos[0].version_max


async def test_an_edge_with_its_limit_reached_is_not_asked(edge: FakePeer) -> None:
    edge.on_hello = lambda hello: Welcome(session="s", limits=Limits(in_flight=1))
    source = EdgeSource([edge.url])
    await source.start()
    try:
        running = asyncio.create_task(collect(source.generate(ask(doc="one"))))
        await edge.next(Complete)
        with pytest.raises(SourceUnavailableError, match="no more requests"):
            await collect(source.generate(ask(doc="two")))
        running.cancel()
    finally:
        await source.close()


async def test_an_edge_that_never_answers_is_given_up_at_the_budget(edge: FakePeer, source: EdgeSource) -> None:
    request = ask(give_up_ms=1)
    await until(lambda: source.state == "ready")
    with pytest.raises(SourceUnavailableError, match="in time"):
        await collect(source.generate(request))
    assert (await edge.next(Cancel)).ids == [request.id]


async def refusal(url: str, token: str = "wrong-token-value") -> DialError:
    with pytest.raises(DialError) as caught:
        await open_url(url, token, decode_to_client, PATIENCE)
    assert token not in str(caught.value)
    return caught.value


async def test_a_refused_token_is_not_tried_again_soon(edge: FakePeer) -> None:
    edge.on_hello = lambda hello: Error(code="auth", message="The token is not known.")
    error = await refusal(edge.url)
    assert error.pause_s == AUTH_PAUSE_S
    assert "edge.token" in str(error)


async def test_after_a_refused_token_requests_fail_at_once_with_the_reason(edge: FakePeer, source: EdgeSource) -> None:
    await until(lambda: len(edge.connections) == 1)
    edge.on_hello = lambda hello: Error(code="auth", message="The token is not known.")
    await edge.stop()
    await edge.start()
    await until(lambda: source.state == "failed" and "token" in source.statuses()[0].detail)
    refused = len(edge.hellos)
    with pytest.raises(SourceUnavailableError, match="token"):
        await collect(source.generate(ask()))
    assert len(edge.hellos) == refused


@pytest.mark.parametrize(
    "reply",
    [b"\xc1not msgpack", "text", b"", Done(id=1, reason="stop"), Error(code="version", message="Too old.")],
    ids=["garbage", "text", "empty", "other frame", "version"],
)
async def test_a_peer_with_another_protocol_is_tried_again_slowly(edge: FakePeer, reply: bytes | str) -> None:
    edge.on_hello = lambda hello: reply
    assert (await refusal(edge.url)).pause_s == INCOMPATIBLE_PAUSE_S


async def test_a_server_without_the_subprotocol_is_refused(edge: FakePeer) -> None:
    await edge.stop()
    edge.subprotocols = None
    await edge.start()
    error = await refusal(edge.url)
    assert error.pause_s == INCOMPATIBLE_PAUSE_S
    assert "foretype.v1" in str(error)


async def test_an_overloaded_edge_says_when_to_come_back(edge: FakePeer) -> None:
    edge.on_hello = lambda hello: Error(code="overloaded", message="Full.", retry_after_ms=3_000)
    assert (await refusal(edge.url)).pause_s == 3.0


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.1 302 Found\r\nlocation: ws://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9\r\n",
        b"",
    ],
    ids=["HTTP", "redirect", "SSH", "nothing"],
)
async def test_a_server_that_is_no_websocket_server_is_one_sentence(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        error = await refusal(f"ws://127.0.0.1:{port}/v1/session")
    finally:
        server.close()
    assert error.pause_s == INCOMPATIBLE_PAUSE_S
    assert str(port) in str(error)


async def test_a_query_is_not_shown_and_a_proxy_is_not_used_towards_this_machine(
    edge: FakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    opened = await open_url(f"{edge.url}?key=hidden", "", decode_to_client, PATIENCE)
    opened.wire.abort()
    assert opened.address == edge.url


async def test_a_token_in_no_tokens_form_is_a_sentence(edge: FakePeer) -> None:
    assert "edge.token" in str(await refusal(edge.url, "pässword"))


class FakeDialer:
    """Never opens a session."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.dials = 0

    async def dial(self) -> Opened:
        self.dials += 1
        raise self.error

    def moved(self) -> None: ...

    def elsewhere(self) -> bool:
        return False

    async def close(self) -> None: ...


async def test_a_long_wait_for_the_next_try_ends_when_a_completion_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PATIENT_S", 0.0)
    dialer = FakeDialer(DialError("not there"))
    source = ConnectedSource("edge", dialer, EdgeDialect, uniform=lambda: 1e6)
    await source.start()
    await until(lambda: dialer.dials == 1)
    with pytest.raises(SourceUnavailableError, match="not there"):
        await collect(source.generate(ask()))
    source.wake()
    await until(lambda: dialer.dials >= 2)
    await source.close()


async def test_a_fault_in_a_dialer_is_logged_and_the_source_stays_usable(caplog: pytest.LogCaptureFixture) -> None:
    source = ConnectedSource("edge", FakeDialer(ZeroDivisionError()), EdgeDialect)
    await source.start()
    await until(lambda: source.state == "failed")
    with pytest.raises(SourceUnavailableError, match="log"):
        await collect(source.generate(ask()))
    await source.close()
    assert "ZeroDivisionError" in caplog.text


async def test_an_edge_source_needs_an_address() -> None:
    with pytest.raises(ValueError, match="address"):
        EdgeSource([])
