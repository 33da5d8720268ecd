"""The openai engine in front of a real OpenAI-compatible server: llama-cpp-python's own, with the starter model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from stack import Stack

from gpu_worker.models import resolve
from lsp_server.demo.programs import Program, free_port
from wire_protocol.codec import decode_to_proxy, encode
from wire_protocol.frames import SUBPROTOCOL, Cancel, Context, Done, Hello, Submit, Tokens

ANSWERED_WITHIN = 30.0


@pytest.fixture
async def server_url(stack: Stack) -> AsyncIterator[str]:
    """A real server of another project that speaks /v1/completions."""
    port = free_port()
    arguments = ["--model", str(resolve("starter")), "--port", str(port), "--model_alias", "starter"]
    server = Program(
        "llama_cpp.server",
        [*arguments, "--n_threads", "1", "--interrupt_requests", "False"],
        stack.folder / "server.log",
        stack.environment,
        ready="Application startup complete",
    )
    await server.start()
    yield f"http://127.0.0.1:{port}/v1"
    await server.kill()


@pytest.fixture
async def worker_socket(stack: Stack, server_url: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A session with a real worker whose engine is that server."""
    path = stack.folder / "openai.sock"
    engine = ["--engine", "openai", "--url", server_url, "--model", "starter", "--fim-family", "qwen"]
    listen = ["--listen", f"unix:{path}"]
    worker = Program("gpu_worker", [*engine, *listen], stack.folder / "openai.log", stack.environment)
    await worker.start()
    try:
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as http,
            http.ws_connect("http://worker/v1/session", protocols=[SUBPROTOCOL]) as socket,
        ):
            await socket.send_bytes(encode(Hello()))
            yield socket
    finally:
        await worker.stop()


async def answer(socket: aiohttp.ClientWebSocketResponse, id: int) -> tuple[str, Done]:
    text = ""
    async with asyncio.timeout(ANSWERED_WITHIN):
        while True:
            match decode_to_proxy((await socket.receive()).data):
                case Tokens(items=items):
                    text += "".join(item.text for item in items if item.id == id)
                case Done() as done if done.id == id:
                    return text, done


CONTEXT = Context(
    before="def add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n",
    typed="    return a",
    after="\n\n\nprint(add(1, 2))\n",
    path="sums.py",
    language="python",
)


async def test_a_real_servers_text_streams_through_the_worker(worker_socket: aiohttp.ClientWebSocketResponse) -> None:
    await worker_socket.send_bytes(encode(Submit(id=1, context=CONTEXT, max_tokens=16, give_up_ms=20_000)))
    text, done = await answer(worker_socket, 1)
    assert done.reason in ("stop", "length")
    assert text.strip()


async def test_a_cancelled_request_leaves_the_server_free_for_the_next(
    worker_socket: aiohttp.ClientWebSocketResponse,
) -> None:
    long = Submit(id=1, context=CONTEXT, lines="multi", max_tokens=1_000, give_up_ms=60_000)
    await worker_socket.send_bytes(encode(long))
    await worker_socket.send_bytes(encode(Cancel(ids=[1])))
    assert (await answer(worker_socket, 1))[1].reason == "cancelled"
    await worker_socket.send_bytes(encode(Submit(id=2, context=CONTEXT, max_tokens=8, give_up_ms=20_000)))
    assert (await answer(worker_socket, 2))[1].reason in ("stop", "length")
