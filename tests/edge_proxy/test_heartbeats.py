"""A client that answers pings stays; one that does not is let go, with what it asked for."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from edge_proxy import app
from wire_protocol.codec import encode
from wire_protocol.frames import SUBPROTOCOL, Hello

HEARTBEAT = 0.05
"""Seconds between pings here: the real ones would make the test long."""


async def greeted(edge: Any) -> aiohttp.ClientWebSocketResponse:
    """A session whose pings the test answers, or does not."""
    url = edge.server.make_url("/v1/session")
    client = await edge.http.ws_connect(url, protocols=(SUBPROTOCOL,), autoping=False)
    await client.send_bytes(encode(Hello()))
    await client.receive()
    return client


async def test_a_client_that_answers_pings_stays(
    start_edge: Any, make_worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "HEARTBEAT_SECONDS", HEARTBEAT)
    edge = await start_edge(make_worker())
    client = await greeted(edge)
    for _ in range(4):
        message = await client.receive()
        assert message.type is aiohttp.WSMsgType.PING
        await client.pong(message.data)
    assert edge.app.metrics.sessions.value == 1


async def test_a_client_that_answers_no_ping_is_let_go_and_its_work_cancelled(
    start_edge: Any, make_worker: Any, complete: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "HEARTBEAT_SECONDS", HEARTBEAT)
    worker = make_worker()
    edge = await start_edge(worker)
    client = await greeted(edge)
    await client.send_bytes(encode(complete(1, give_up_ms=600_000)))
    submit = await worker.submit()
    assert (await worker.cancel()).ids == [submit.id]
    await edge.until(lambda: edge.app.metrics.sessions.value == 0)
