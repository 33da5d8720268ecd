"""The link to a worker that is not what it should be."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp import web

from edge_proxy import worker_link
from wire_protocol.codec import encode
from wire_protocol.frames import SUBPROTOCOL, AnyFrame, Credit, Error, Limits, Welcome


class FakeOddWorker:
    """Greets in the way a test wants it to."""

    credits = 0

    def __init__(self, greeting: list[AnyFrame | bytes], protocols: tuple[str, ...] = (SUBPROTOCOL,)) -> None:
        self.greeting = greeting
        self.protocols = protocols
        self.connections = 0
        self.received: list[bytes] = []
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/v1/session", self._session)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"ws://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _session(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=self.protocols, timeout=0.1)
        await socket.prepare(request)
        self.connections += 1
        await socket.receive()
        for frame in self.greeting:
            await socket.send_bytes(frame if isinstance(frame, bytes) else encode(frame))
        async for message in socket:
            self.received.append(message.data)
        return socket


@pytest.mark.parametrize(
    ("worker", "sentence"),
    [
        (FakeOddWorker([Error(code="auth", message="Wrong token.")]), "it refused this proxy (auth): Wrong token."),
        (FakeOddWorker([b"\xc1"]), "it sent a bad frame (malformed)"),
        (FakeOddWorker([Credit(grant=1)]), "it sent something else before its welcome"),
        (FakeOddWorker([], protocols=("other",)), "it does not speak foretype.v1"),
    ],
)
async def test_what_is_wrong_with_a_worker_is_logged_once_and_tried_again(
    start_edge: Any, caplog: pytest.LogCaptureFixture, worker: FakeOddWorker, sentence: str
) -> None:
    edge = await start_edge(worker)
    await edge.until(lambda: worker.connections >= 3)
    assert [sentence in message for message in caplog.messages].count(True) == 1
    assert (await edge.get("/readyz"))[0] == 503


async def test_a_worker_with_too_many_bad_frames_is_left(start_edge: Any, caplog: pytest.LogCaptureFixture) -> None:
    worker = FakeOddWorker([Welcome(session="w"), *[b"\xc1"] * 11])
    edge = await start_edge(worker)
    await edge.until(lambda: worker.connections >= 2)
    assert any("too many bad frames" in message for message in caplog.messages)


async def test_a_context_that_the_worker_would_not_take_is_an_error_and_costs_no_credit(
    start_edge: Any, complete: Any
) -> None:
    limits = Limits(frame_bytes=1_024)
    worker = FakeOddWorker([Welcome(session="w", limits=limits), Credit(grant=1)])
    edge = await start_edge(worker)
    await edge.until(lambda: edge.app.dispatcher.ready)
    client = await edge.client()
    await client.send(complete(1, "x" * 2_000))
    _, done = await client.answer(1)
    assert (done.reason, "larger" in done.message) == ("error", True)
    await client.send(complete(2))
    await edge.until(lambda: bool(worker.received))


async def test_a_unix_socket_leads_to_a_worker(start_edge: Any, make_worker: Any, complete: Any, tmp_path: Any) -> None:
    worker = make_worker()
    path = str(tmp_path / "w.sock")
    await worker.start(path)
    edge = await start_edge(worker)
    client = await edge.client()
    await client.send(complete(1, "abc"))
    assert (await worker.submit()).context.typed == "abc"


async def test_a_frame_that_cannot_be_written_is_an_error_and_the_worker_stays(
    start_edge: Any, make_worker: Any, complete: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = make_worker()
    edge = await start_edge(worker)
    client = await edge.client()
    monkeypatch.setattr(worker_link, "encode", Mock(side_effect=UnicodeError))
    await client.send(complete(1, "x"))
    assert (await client.answer(1))[1].reason == "error"
    monkeypatch.undo()
    await client.send(complete(2, "y"))
    await worker.finish(await worker.submit())
    assert (await client.answer(2))[1].reason == "stop"
