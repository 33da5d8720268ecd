"""Nagle's algorithm is off on every TCP socket of a session, and a second small write does not wait for the first's
acknowledgement: shown beside the same proxy with Nagle on."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

import aiohttp
import pytest

from edge_proxy import app, sockets, worker_link
from wire_protocol.codec import decode_to_client, encode
from wire_protocol.frames import SUBPROTOCOL, Hello, Tokens, Welcome

TCP = "127.0.0.1"
ROUNDS = 6


def nagle_on(transport: Any) -> None:
    """What `set_nodelay` would be if it did the opposite."""
    tcp = sockets.tcp_socket(transport)
    assert tcp is not None
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)


def delay_acknowledgements(client: aiohttp.ClientWebSocketResponse) -> None:
    """As an ordinary client does once a connection is established; the kernel forgets it, so before each wait."""
    client.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)


async def shortest_gap(edge: Any, worker: Any, complete: Any) -> float:
    """Seconds between the arrivals of two small writes at a client that acknowledges late; the least of some rounds."""
    client = await edge.http.ws_connect(edge.server.make_url("/v1/session"), protocols=(SUBPROTOCOL,))
    await client.send_bytes(encode(Hello()))
    assert isinstance(decode_to_client((await client.receive()).data), Welcome)
    gaps = []
    for id in range(1, ROUNDS + 1):
        await client.send_bytes(encode(complete(id)))
        submit = await worker.submit()
        await asyncio.sleep(0)
        delay_acknowledgements(client)
        await worker.say(submit, "x")
        first = decode_to_client((await client.receive()).data)
        came = time.perf_counter()
        delay_acknowledgements(client)
        await worker.say(submit, "y\n", offset=1)
        second = decode_to_client((await client.receive()).data)
        gaps.append(time.perf_counter() - came)
        assert isinstance(first, Tokens)
        assert isinstance(second, Tokens)
        await worker.finish(submit)
        await client.receive()
    await client.close()
    return min(gaps)


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="only Linux lets a client choose to acknowledge late")
async def test_a_second_chunk_does_not_wait_for_the_first_to_be_acknowledged(
    start_edge: Any, make_worker: Any, complete: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = make_worker()
    edge = await start_edge(worker)
    with_nodelay = await shortest_gap(edge, worker, complete)
    monkeypatch.setattr(app, "set_nodelay", nagle_on)
    with_nagle = await shortest_gap(edge, worker, complete)
    assert with_nodelay < with_nagle / 2


@pytest.mark.parametrize("module", [app, worker_link], ids=["accepted", "to a worker"])
async def test_nagle_is_off_on_every_session_socket(
    start_edge: Any, make_worker: Any, monkeypatch: pytest.MonkeyPatch, module: Any
) -> None:
    options: list[int] = []

    def noted(transport: Any) -> None:
        nagle_on(transport)  # event loops turn it off by themselves; what they leave out must not matter
        sockets.set_nodelay(transport)
        tcp = sockets.tcp_socket(transport)
        assert tcp is not None
        options.append(tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(module, "set_nodelay", noted)
    edge = await start_edge(make_worker())
    await edge.client()
    assert options == [1]


async def test_a_unix_socket_has_no_such_option_and_is_left_alone() -> None:
    left, right = socket.socketpair()

    class FakeTransport:
        def get_extra_info(self, name: str) -> object:
            return left

    sockets.set_nodelay(FakeTransport())
    assert sockets.tcp_socket(FakeTransport()) is None
    left.close()
    right.close()
