"""Several edges: the nearest is used, the next when it fails, and moving loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from fake_peer import FakePeer, ask, collect, echo, until

from lsp_server.sources import edge as edge_room
from lsp_server.sources.edge import EdgeDialer, EdgeSource
from lsp_server.sources.wire import Wire
from wire_protocol.codec import encode
from wire_protocol.frames import Complete, Done, Error, TokenBatch, Tokens


@pytest.fixture
async def other() -> AsyncIterator[FakePeer]:
    """A second edge."""
    peer = FakePeer()
    await peer.start()
    yield peer
    await peer.stop()


@pytest.fixture
async def source(edge: FakePeer, other: FakePeer) -> AsyncIterator[EdgeSource]:
    source = EdgeSource([edge.url, other.url], uniform=lambda: 0.0)
    await source.start()
    await until(lambda: source.state == "ready")
    yield source
    await source.close()


def distances(source: EdgeSource, monkeypatch: pytest.MonkeyPatch, **ms: float) -> None:
    """What is measured, by the last digit of the address' place in the list."""
    choice = source._edges.choice

    async def measure_wire(url: str, wire: Wire) -> None:
        choice.measured(url, ms["first" if url == next(iter(choice._edges)) else "second"] / 1_000)

    monkeypatch.setattr(source._edges, "measure_wire", measure_wire)


async def test_only_the_first_that_welcomes_keeps_a_session(
    edge: FakePeer, other: FakePeer, source: EdgeSource
) -> None:
    edge.answer = echo("first")
    assert (await collect(source.generate(ask())))[0] == "first"
    assert other.hellos == []


async def test_an_edge_that_hangs_costs_a_moment_only(edge: FakePeer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_room, "STAGGER_S", 0.01)
    hanging = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{hanging.sockets[0].getsockname()[1]}/v1/session"
    source = EdgeSource([url, edge.url])
    edge.answer = echo("x")
    await source.start()
    assert (await collect(source.generate(ask())))[0] == "x"
    await source.close()
    hanging.close()


async def test_a_lost_edge_is_replaced_by_the_next(edge: FakePeer, other: FakePeer, source: EdgeSource) -> None:
    other.answer = echo("other")
    await edge.stop()
    await until(lambda: len(other.hellos) == 1)
    await until(lambda: source.state == "ready")
    assert (await collect(source.generate(ask())))[0] == "other"


async def test_a_nearer_edge_takes_over_and_what_runs_finishes_where_it_began(
    edge: FakePeer, other: FakePeer, source: EdgeSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    distances(source, monkeypatch, first=90, second=10)
    request = ask(doc="one")
    running = asyncio.create_task(collect(source.generate(request)))
    await edge.next(Complete)
    for _ in range(3):
        await source.measure_once()
    await until(lambda: len(other.connections) == 4)  # three measurements, and the session
    await until(lambda: source.state == "ready")
    other.answer = echo("near")
    assert (await collect(source.generate(ask(doc="two"))))[0] == "near"
    old = edge.connections[0]
    await old.send(encode(Tokens(items=[TokenBatch(id=request.id, offset=0, text="far", tokens=1)])))
    await old.send(encode(Done(id=request.id, reason="stop")))
    assert (await running)[0] == "far"
    await asyncio.wait_for(old.wait_closed(), 10)


async def test_an_edge_that_is_not_clearly_nearer_is_left_alone(
    edge: FakePeer, other: FakePeer, source: EdgeSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    distances(source, monkeypatch, first=30, second=25)
    for _ in range(5):
        await source.measure_once()
    assert len(edge.hellos) == 1
    assert source.state == "ready"


async def test_round_trips_are_really_measured(edge: FakePeer, other: FakePeer, source: EdgeSource) -> None:
    await source.measure_once()
    for url in (edge.url, other.url):
        measured = source._edges.choice.round_trip_s(url)
        assert measured is not None
        assert 0.0 < measured < 1.0


async def test_an_idle_machine_measures_nothing(
    edge: FakePeer, other: FakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_room, "FIRST_MEASURE_S", 0.0)
    monkeypatch.setattr(edge_room, "MEASURE_EVERY_S", 0.0)
    source = EdgeSource([edge.url, other.url], uniform=lambda: 0.0)
    edge.answer = echo("x")
    await source.start()
    await until(lambda: source.state == "ready")
    for _ in range(20):
        await asyncio.sleep(0)
    assert other.hellos == []
    await collect(source.generate(ask()))
    await until(lambda: len(other.hellos) == 1)
    await source.close()


async def test_an_edge_that_refuses_the_token_is_passed_over(edge: FakePeer, other: FakePeer) -> None:
    edge.on_hello = lambda hello: Error(code="auth", message="Unknown.")
    dialer = EdgeDialer([edge.url, other.url], "token")
    opened = await dialer.dial()
    assert opened.address == other.url
    opened.wire.abort()
