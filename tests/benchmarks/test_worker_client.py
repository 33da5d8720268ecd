"""The bench's end of the wire protocol, against a worker that does what each test needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, unix_serve
from websockets.typing import Subprotocol

from benchmarks.errors import BenchError
from benchmarks.worker import WorkerClient, connected
from wire_protocol.codec import decode_from_proxy, encode
from wire_protocol.frames import (
    SUBPROTOCOL,
    AnyFrame,
    Cancel,
    Context,
    Credit,
    Done,
    DoneReason,
    Error,
    FromProxy,
    GoAway,
    Hello,
    ModelInfo,
    Submit,
    TokenBatch,
    Tokens,
    Welcome,
)

QUESTION = Context(before="x = ")


class FakeWorker:
    """One session: reads and sends frames."""

    def __init__(self, websocket: ServerConnection) -> None:
        self._websocket = websocket

    async def read(self) -> FromProxy:
        return decode_from_proxy(await self._websocket.recv(decode=False))

    async def send(self, *frames: AnyFrame) -> None:
        for frame in frames:
            await self._websocket.send(encode(frame))

    async def welcome(self, credit: int = 1) -> Hello:
        hello = await self.read()
        assert isinstance(hello, Hello)
        await self.send(Welcome(session="s", models=[ModelInfo(name="fake")]), Credit(grant=credit))
        return hello

    async def submitted(self) -> Submit:
        frame = await self.read()
        assert isinstance(frame, Submit)
        return frame


@asynccontextmanager
async def talking_to(
    folder: Path, behave: Callable[[FakeWorker], Awaitable[None]], token: str = ""
) -> AsyncIterator[WorkerClient]:
    """A session with a worker that behaves so."""
    path = str(folder / "w.sock")
    async with (
        unix_serve(lambda websocket: behave(FakeWorker(websocket)), path, subprotocols=[Subprotocol(SUBPROTOCOL)]),
        asyncio.timeout(20),
        connected(f"unix:{path}", token) as client,
    ):
        yield client


async def test_an_answer_is_put_together_from_its_pieces(tmp_path: Path) -> None:
    async def behave(worker: FakeWorker) -> None:
        assert (await worker.welcome()).token == "secret"
        submit = await worker.submitted()
        assert (submit.context, submit.lines, submit.max_tokens, submit.stop) == (QUESTION, "multi", 9, ["\n\n"])
        items = [TokenBatch(id=submit.id, offset=at, text=text, tokens=1) for at, text in ((0, "a"), (1, "b"))]
        other = TokenBatch(id=submit.id + 1, offset=0, text="not ours", tokens=1)
        await worker.send(Tokens(items=[items[0], other]), Tokens(items=[items[1]]))
        await worker.send(Done(id=submit.id, reason="length", mean_logprob=-0.5))
        await worker.read()

    async with talking_to(tmp_path, behave, "secret") as client:
        reply = await client.ask(QUESTION, "multi", 9, ["\n\n"])
    assert (client.model, reply.text, reply.done.reason, reply.done.mean_logprob) == ("fake", "ab", "length", -0.5)


async def test_no_more_is_asked_than_there_is_credit_for(tmp_path: Path) -> None:
    seen: list[int] = []

    async def behave(worker: FakeWorker) -> None:
        await worker.welcome(credit=1)
        for _ in range(3):
            submit = await worker.submitted()
            seen.append(submit.id)
            await worker.send(Done(id=submit.id, reason="stop"), Credit(grant=1))
        await worker.read()

    async with talking_to(tmp_path, behave) as client:
        await asyncio.gather(*(client.ask(QUESTION, "single", 8) for _ in range(3)))
    assert seen == [1, 2, 3]


async def test_a_cancel_goes_out_at_the_first_text(tmp_path: Path) -> None:
    async def behave(worker: FakeWorker) -> None:
        await worker.welcome()
        submit = await worker.submitted()
        await worker.send(Tokens(items=[TokenBatch(id=submit.id, offset=0, text="a", tokens=1)]))
        assert await worker.read() == Cancel(ids=[submit.id])
        await worker.send(Done(id=submit.id, reason="cancelled"))
        await worker.read()

    async with talking_to(tmp_path, behave) as client:
        assert await client.cancel_in_the_middle(QUESTION, 64) > 0


async def test_an_answer_that_ended_before_its_cancel_is_no_measurement(tmp_path: Path) -> None:
    async def behave(worker: FakeWorker) -> None:
        await worker.welcome()
        await worker.send(Done(id=(await worker.submitted()).id, reason="stop"))
        await worker.read()

    async with talking_to(tmp_path, behave) as client:
        with pytest.raises(BenchError, match="before it was cancelled"):
            await client.cancel_in_the_middle(QUESTION, 64)


@pytest.mark.parametrize("reason", ["shed", "error", "cancelled"])
async def test_a_request_that_was_not_answered_is_no_silent_zero(tmp_path: Path, reason: DoneReason) -> None:
    async def behave(worker: FakeWorker) -> None:
        await worker.welcome()
        submit = await worker.submitted()
        await worker.send(Done(id=submit.id, reason=reason, message="No room."))
        await worker.read()

    async with talking_to(tmp_path, behave) as client:
        with pytest.raises(BenchError, match=f"answered {reason}: No room."):
            await client.ask(QUESTION, "single", 8)


@pytest.mark.parametrize(
    ("last", "sentence"),
    [
        (None, "was lost"),
        (Error(code="limit", message="Too many."), "reports limit: Too many."),
        (GoAway(within_ms=1, reason="Updates."), "is leaving: Updates."),
    ],
)
async def test_a_session_that_ends_early_says_why(tmp_path: Path, last: AnyFrame | None, sentence: str) -> None:
    async def behave(worker: FakeWorker) -> None:
        await worker.welcome()
        await worker.submitted()
        if last is not None:
            await worker.send(last)

    async with talking_to(tmp_path, behave) as client:
        with pytest.raises(BenchError, match=sentence):
            await client.ask(QUESTION, "single", 8)
        with pytest.raises(BenchError, match=sentence):
            await client.ask(QUESTION, "single", 8)


async def test_a_worker_that_refuses_the_token_is_quoted(tmp_path: Path) -> None:
    async def behave(worker: FakeWorker) -> None:
        await worker.read()
        await worker.send(Error(code="auth", message="Wrong token."))

    with pytest.raises(BenchError, match=r"refused the session: Wrong token\."):
        async with talking_to(tmp_path, behave):
            pass


async def test_where_nothing_listens_it_says_what_to_start(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"No worker answers at unix:.* start one with foretype-worker"):
        async with connected(f"unix:{tmp_path}/none.sock"):
            pass
