"""The openai engine against a fake server with /v1/completions: streams, cuts, retries, refusals, cancels."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gpu_worker.engines.base import Finished, Request
from gpu_worker.engines.openai_engine import OpenAiEngine, OpenAiOptions
from gpu_worker.errors import WorkerError
from wire_protocol.frames import Context

WAIT_SECONDS = 10.0
MODEL = "qwen2.5-coder"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeServer:
    """Serves /v1/models and answers each completion with the next of `handlers` (the last one stays)."""

    def __init__(self) -> None:
        self.models: Any = {"data": [{"id": MODEL, "max_model_len": 2_000}]}
        self.handlers: list[Handler] = []
        self.bodies: list[dict[str, Any]] = []
        self.closed = asyncio.Event()
        app = web.Application()
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/completions", self._completions)
        self.server = TestServer(app)

    @property
    def url(self) -> str:
        return str(self.server.make_url("/v1"))

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response(self.models)

    async def _completions(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        handler = self.handlers.pop(0) if len(self.handlers) > 1 else self.handlers[0]
        try:
            return await handler(request)
        finally:
            self.closed.set()


def event(text: str = "", finish: str | None = None, **fields: Any) -> bytes:
    choice = {"text": text, "finish_reason": finish, **fields}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
USAGE = (
    b'data: {"choices": [], "usage": {"prompt_tokens": 50, "completion_tokens": 3, '
    b'"prompt_tokens_details": {"cached_tokens": 48}}}\n\n'
)


def stream(*pieces: bytes, forever: bool = False, breaks: bool = False) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        if breaks and request.transport is not None:
            request.transport.close()
        if forever:
            await asyncio.Event().wait()
        return response

    return handler


def status(code: int, body: str = '{"error": {"message": "no"}}') -> Handler:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=code, text=body)

    return handler


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    fake = FakeServer()
    await fake.server.start_server()
    yield fake
    await fake.server.close()


@pytest.fixture
async def engine(server: FakeServer) -> AsyncIterator[OpenAiEngine]:
    made = OpenAiEngine(OpenAiOptions(url=server.url, model=MODEL))
    await made.start()
    yield made
    await made.close()


def ask(key: int = 1, **fields: Any) -> Request:
    settings = {"context": Context(before="a\n", typed="b", after="\nz"), "lines": "multi", "give_up_ms": 9e3, **fields}
    return Request(key=key, **settings)


async def collect(engine: OpenAiEngine, request: Request) -> tuple[str, Finished]:
    text = ""
    async with asyncio.timeout(WAIT_SECONDS):
        async for item in engine.generate(request):
            if isinstance(item, Finished):
                return text, item
            text += item.text
    raise AssertionError("no Finished came")


async def test_a_stream_becomes_text_usage_and_logprobs(server: FakeServer, engine: OpenAiEngine) -> None:
    server.handlers = [
        stream(
            event("he", logprobs={"token_logprobs": [-0.5]}),
            event("llo", logprobs={"token_logprobs": [-0.25, -0.75]}),
            event("", "stop"),
            USAGE,
            DONE,
        )
    ]
    text, end = await collect(engine, ask())
    assert (text, end.reason) == ("hello", "stop")
    assert (end.usage.prompt_tokens, end.usage.reused_tokens, end.usage.generated_tokens) == (50, 48, 3)
    assert (end.first_logprob, end.mean_logprob) == (-0.5, -0.5)


async def test_the_prompt_is_in_the_models_own_layout(server: FakeServer, engine: OpenAiEngine) -> None:
    server.handlers = [stream(event("x", "length"), DONE)]
    _, end = await collect(engine, ask(max_tokens=7, stop=("END",)))
    assert end.reason == "length"
    body = server.bodies[0]
    assert body["prompt"] == "<|fim_prefix|>a\n<|fim_suffix|>\nz<|fim_middle|>b"
    assert (body["model"], body["max_tokens"], body["stop"], body["temperature"]) == (MODEL, 7, ["END"], 0)
    assert "suffix" not in body


async def test_suffix_mode_uses_the_apis_field(server: FakeServer) -> None:
    server.handlers = [stream(event("x", "stop"), DONE)]
    engine = OpenAiEngine(OpenAiOptions(url=server.url, model=MODEL, fim="suffix"))
    await engine.start()
    await collect(engine, ask())
    await engine.close()
    assert (server.bodies[0]["prompt"], server.bodies[0]["suffix"]) == ("a\nb", "\nz")


async def test_the_context_length_is_the_servers(engine: OpenAiEngine) -> None:
    assert engine.model.context_tokens == 2_000


async def test_a_single_line_closes_the_connection_at_its_end(server: FakeServer, engine: OpenAiEngine) -> None:
    server.handlers = [stream(event("one\ntwo"), forever=True)]
    text, end = await collect(engine, ask(lines="single"))
    assert (text, end.reason) == ("one", "stop")
    async with asyncio.timeout(WAIT_SECONDS):
        await server.closed.wait()


async def test_cancel_closes_the_connection(server: FakeServer, engine: OpenAiEngine) -> None:
    server.handlers = [stream(event("one"), forever=True)]
    events = engine.generate(ask(5))
    await anext(events)
    engine.cancel(5)
    assert [item.reason async for item in events if isinstance(item, Finished)] == ["cancelled"]
    async with asyncio.timeout(WAIT_SECONDS):
        await server.closed.wait()


async def test_a_busy_server_is_tried_again_before_the_first_byte(server: FakeServer, engine: OpenAiEngine) -> None:
    server.handlers = [status(503), stream(event("x", "stop"), DONE)]
    text, end = await collect(engine, ask())
    assert (text, end.reason, len(server.bodies)) == ("x", "stop", 2)


async def test_a_server_that_stays_busy_sheds(server: FakeServer, engine: OpenAiEngine) -> None:
    server.handlers = [status(429)]
    _, end = await collect(engine, ask())
    assert (end.reason, len(server.bodies)) == ("shed", 3)
    assert "429: no" in end.message


async def test_a_refusal_is_an_error_and_not_tried_again(server: FakeServer, engine: OpenAiEngine) -> None:
    server.handlers = [status(400, '{"error": {"message": "context too long"}}')]
    _, end = await collect(engine, ask())
    assert (end.reason, len(server.bodies)) == ("error", 1)
    assert "context too long" in end.message


async def test_a_stream_that_breaks_after_text_is_not_tried_again(server: FakeServer, engine: OpenAiEngine) -> None:
    server.handlers = [stream(event("half"), breaks=True)]
    text, end = await collect(engine, ask())
    assert (text, end.reason, len(server.bodies)) == ("half", "error", 1)


@pytest.mark.parametrize("junk", [b"data: {not json\n\n", b"data: \xff\n\n", b'data: {"choices": 3}\n\n'])
async def test_junk_in_a_stream_is_an_error(server: FakeServer, engine: OpenAiEngine, junk: bytes) -> None:
    server.handlers = [stream(junk)]
    _, end = await collect(engine, ask())
    assert (end.reason, "broke off" in end.message) == ("error", True)


async def test_an_error_inside_a_stream_is_said(server: FakeServer, engine: OpenAiEngine) -> None:
    server.handlers = [stream(b'data: {"error": {"message": "out of memory"}}\n\n')]
    _, end = await collect(engine, ask())
    assert end.reason == "error"
    assert "out of memory" in end.message


async def test_the_budget_sheds_a_slow_answer(server: FakeServer, engine: OpenAiEngine) -> None:
    server.handlers = [stream(forever=True)]
    _, end = await collect(engine, ask(give_up_ms=50.0))
    assert end.reason == "shed"


async def test_carriage_returns_never_reach_the_answer(server: FakeServer, engine: OpenAiEngine) -> None:
    server.handlers = [stream(event("a\r\nb", "stop"), DONE)]
    assert (await collect(engine, ask()))[0] == "a\nb"


async def test_readiness_follows_the_servers_models(server: FakeServer) -> None:
    server.models = {"data": [{"id": "other"}]}
    engine = OpenAiEngine(OpenAiOptions(url=server.url, model=MODEL))
    await engine.start()
    assert not engine.readiness().ready
    assert "other" in engine.readiness().message
    await engine.close()


async def test_a_server_that_is_not_there_is_not_ready_and_says_so(unused_url: str) -> None:
    engine = OpenAiEngine(OpenAiOptions(url=unused_url, model=MODEL))
    await engine.start()
    assert not engine.readiness().ready
    assert "cannot be reached" in engine.readiness().message
    _, end = await collect(engine, ask())
    assert end.reason == "error"
    await engine.close()


@pytest.fixture
async def unused_url() -> str:
    server = TestServer(web.Application())
    await server.start_server()
    url = str(server.make_url("/v1"))
    await server.close()
    return url


def test_an_unknown_family_must_be_given() -> None:
    with pytest.raises(WorkerError, match="--fim-family"):
        OpenAiEngine(OpenAiOptions(url="http://127.0.0.1/v1", model="mystery"))
