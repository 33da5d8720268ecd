"""What one connection notices by itself: a dead peer, a peer that leaves, frames that are too large."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from fake_peer import FakePeer, ask, collect, echo, is_full, until

from lsp_server.sources import link
from lsp_server.sources.base import SourceUnavailableError
from lsp_server.sources.edge import EdgeSource
from wire_protocol.frames import Complete, Context, Error, GoAway, Limits, Welcome


@pytest.fixture
async def source(edge: FakePeer) -> AsyncIterator[EdgeSource]:
    source = EdgeSource([edge.url], uniform=lambda: 0.0)
    yield source
    await source.close()


async def test_a_peer_that_answers_no_ping_is_left_and_dialled_again(
    edge: FakePeer, source: EdgeSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "MIN_HEARTBEAT_S", 0.01)
    monkeypatch.setattr(link, "PONG_TIMEOUT_S", 0.05)
    edge.on_hello = lambda hello: Welcome(session="s", heartbeat_ms=0)
    await source.start()
    await until(lambda: len(edge.connections) == 1)
    edge.connections[0].transport.pause_reading()  # type: ignore[attr-defined]  # a read transport
    await until(lambda: len(edge.hellos) == 2)
    await until(lambda: source.state == "ready")
    assert len(edge.hellos) >= 2


async def test_a_pong_counts_as_being_heard(
    edge: FakePeer, source: EdgeSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "MIN_HEARTBEAT_S", 0.001)
    edge.on_hello = lambda hello: Welcome(session="s", heartbeat_ms=0)
    await source.start()
    await until(lambda: source.state == "ready")
    first = source.heard_at
    assert first is not None
    await until(lambda: (source.heard_at or 0.0) > first)


async def test_a_peer_that_leaves_ends_what_is_still_running_when_its_time_is_up(
    edge: FakePeer, source: EdgeSource
) -> None:
    await source.start()
    answer = asyncio.create_task(collect(source.generate(ask())))
    await edge.next(Complete)
    await edge.send(GoAway(within_ms=1))
    with pytest.raises(SourceUnavailableError, match="left"):
        await answer


async def test_a_request_larger_than_the_peer_takes_is_refused_here_and_the_next_goes_in_full(
    edge: FakePeer, source: EdgeSource
) -> None:
    edge.on_hello = lambda hello: Welcome(session="s", limits=Limits(frame_bytes=1_024))
    edge.answer = echo("x")
    await source.start()
    large = replace(ask(), context=Context(before="y" * 5_000))
    with pytest.raises(SourceUnavailableError, match="1024"):
        await collect(source.generate(large))
    assert (await collect(source.generate(ask())))[0] == "x"
    assert is_full(await edge.next(Complete))


async def test_a_token_refused_in_mid_session_ends_it_and_is_not_tried_again_soon(
    edge: FakePeer, source: EdgeSource
) -> None:
    await source.start()
    await until(lambda: len(edge.connections) == 1)
    await edge.send(Error(code="auth", message="The token was revoked."))
    await until(lambda: source.state == "failed")
    assert "revoked" in source.statuses()[0].detail
    assert len(edge.hellos) == 1


async def test_an_error_about_nothing_in_particular_is_logged_and_the_session_goes_on(
    edge: FakePeer, source: EdgeSource, caplog: pytest.LogCaptureFixture
) -> None:
    edge.answer = echo("x")
    await source.start()
    await until(lambda: len(edge.connections) == 1)
    await edge.send(Error(code="internal", message="Something broke here."))
    assert (await collect(source.generate(ask())))[0] == "x"
    assert "Something broke here." in caplog.text
