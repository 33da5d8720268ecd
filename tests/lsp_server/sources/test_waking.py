"""Sleep is noticed by either clock, and a busy machine is not taken for a sleeping one."""

from __future__ import annotations

import asyncio

from fake_peer import FakePeer, ask, collect, echo, until

from lsp_server.sources import connection, vigil
from lsp_server.sources.edge import EdgeSource
from lsp_server.sources.route import outgoing_addresses
from lsp_server.sources.waking import SLEPT_S, Waking
from wire_protocol.frames import Error, Welcome


class FakeClocks:
    def __init__(self) -> None:
        self.monotonic = 50.0
        self.wall = 1e9

    def waking(self) -> Waking:
        return Waking(lambda: self.monotonic, lambda: self.wall)

    def pass_time(self, monotonic: float, wall: float) -> None:
        self.monotonic += monotonic
        self.wall += wall


def test_a_second_that_was_a_second_is_no_sleep() -> None:
    clocks = FakeClocks()
    waking = clocks.waking()
    clocks.pass_time(1.2, 1.2)
    assert not waking.slept(1.0)


def test_ten_minutes_of_sleep_show_on_the_wall_clock_alone() -> None:
    clocks = FakeClocks()
    waking = clocks.waking()
    clocks.pass_time(1.0, 600.0)
    assert waking.slept(1.0)
    clocks.pass_time(1.0, 1.0)
    assert not waking.slept(1.0)


def test_a_stopped_process_is_noticed_by_the_monotonic_clock() -> None:
    clocks = FakeClocks()
    waking = clocks.waking()
    clocks.pass_time(1.0 + SLEPT_S + 0.1, 0.0)
    assert waking.slept(1.0)


def test_a_clock_that_was_set_back_is_no_sleep() -> None:
    clocks = FakeClocks()
    waking = clocks.waking()
    clocks.pass_time(1.0, -3_600.0)
    assert not waking.slept(1.0)


def test_the_outgoing_addresses_are_some_or_none_and_nothing_is_raised() -> None:
    assert outgoing_addresses() == outgoing_addresses()


async def test_a_dead_connection_is_replaced_at_once_after_sleep(edge: FakePeer, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(vigil, "LOOK_S", 0.01)
    monkeypatch.setattr(connection, "AWAKE_SIGN_S", 0.05)
    source = EdgeSource([edge.url], uniform=lambda: 0.0)
    edge.answer = echo("x")
    await source.start()
    await until(lambda: len(edge.connections) == 1)
    edge.connections[0].transport.pause_reading()  # type: ignore[attr-defined]  # a read transport
    source.refresh("the machine slept")
    await until(lambda: len(edge.connections) == 2)
    assert (await collect(source.generate(ask())))[0] == "x"
    await source.close()


async def test_a_connection_that_survived_the_sleep_is_kept(edge: FakePeer) -> None:
    source = EdgeSource([edge.url])
    await source.start()
    await until(lambda: source.state == "ready")
    heard = source.heard_at
    source.refresh("the machine slept")
    await until(lambda: source.heard_at != heard)
    assert len(edge.hellos) == 1
    await source.close()


async def test_waking_gives_up_a_dial_that_hangs() -> None:
    dials = 0

    def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal dials
        dials += 1

    silent = await asyncio.start_server(swallow, "127.0.0.1", 0)
    source = EdgeSource([f"ws://127.0.0.1:{silent.sockets[0].getsockname()[1]}/v1/session"])
    await source.start()
    await until(lambda: dials == 1)
    source.refresh("the machine slept")
    await until(lambda: dials == 2)
    await source.close()
    assert dials == 2
    silent.close()


async def test_waking_ends_a_pause_that_nothing_else_ends(edge: FakePeer) -> None:
    edge.on_hello = lambda hello: Error(code="auth", message="Not yet.")
    source = EdgeSource([edge.url])
    await source.start()
    await until(lambda: source.state == "failed")
    edge.on_hello = lambda hello: Welcome(session="s")
    source.refresh("the machine slept")
    await until(lambda: source.state == "ready")
    assert [status.state for status in source.statuses()] == ["ready"]
    await source.close()


async def test_another_route_refreshes(edge: FakePeer, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(vigil, "LOOK_S", 0.0)
    routes = iter([("192.168.1.5",), ("192.168.1.5",), ("10.0.0.7",)])
    refreshed: list[str] = []
    source = EdgeSource([edge.url])
    source._route = lambda: next(routes, ("10.0.0.7",))
    source.refresh = refreshed.append  # type: ignore[method-assign]  # what it is told
    await source.start()
    await until(lambda: bool(refreshed))
    await source.close()
    assert refreshed == ["the network is another one"]


async def test_a_silent_peer_is_asked_for_a_sign_of_life_when_a_completion_is_wanted(
    edge: FakePeer, monkeypatch
) -> None:  # type: ignore[no-untyped-def]
    from lsp_server.sources import link

    monkeypatch.setattr(link, "DOUBT_S", 0.0)
    monkeypatch.setattr(link.Link.check, "__defaults__", (0.05,))
    source = EdgeSource([edge.url], uniform=lambda: 0.0)
    await source.start()
    await until(lambda: len(edge.connections) == 1)
    edge.connections[0].transport.pause_reading()  # type: ignore[attr-defined]  # a read transport
    edge.answer = echo("x")
    answer = asyncio.create_task(collect(source.generate(ask())))
    await until(lambda: len(edge.hellos) == 2)
    await asyncio.gather(answer, return_exceptions=True)
    assert (await collect(source.generate(ask())))[0] == "x"
    await source.close()
