"""Two real workers of two tiers behind a real proxy: the larger model answers by hand where the small one is unsure."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from stack import ANSWER_WITHIN, TOKEN, Stack
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from gpu_worker.models import STARTER, resolve
from wire_protocol.codec import decode_to_client, encode
from wire_protocol.frames import SUBPROTOCOL, Complete, Context, Done, Hello, Tokens, Welcome

UNSURE_OF_ALL = "[escalation]\nbelow = 0.0\n"
"""No model's mean log-probability is 0 or more."""
SURE_OF_ALL = "[escalation]\nbelow = -1000.0\n"


@dataclass
class Answer:
    """What came for one request."""

    text: str = ""
    done: Done = field(default_factory=lambda: Done(id=0, reason="error"))


class Person:
    """One session with the proxy; a new document for each request."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = 0

    async def ask(self, **fields: Any) -> Answer:
        self._ids += 1
        before = f"# file {self._ids}\ndef add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n"
        context = Context(before=before, typed="    ret", path="sums.py", language="python")
        frame = Complete(id=self._ids, doc=f"d{self._ids}", rev=1, context=context, max_tokens=8, **fields)
        await self._socket.send(encode(frame))
        answer = Answer()
        async with asyncio.timeout(ANSWER_WITHIN):
            async for data in self._socket:
                assert isinstance(data, bytes)
                match decode_to_client(data):
                    case Tokens(items=items):
                        answer.text += "".join(item.text for item in items)
                    case Done() as done:
                        answer.done = done
                        return answer
        raise AssertionError("the proxy hung up")


@asynccontextmanager
async def edge(stack: Stack, folder: Path, settings: str) -> AsyncIterator[Person]:
    """A worker with the starter, one with the same file under another name as the large tier, a proxy, a person."""
    shutil.copy(resolve(STARTER), folder / "larger.gguf")
    large = stack.worker_at("large", "--tier", "large", "--model", str(folder / "larger.gguf"))
    (folder / "proxy.toml").write_text(settings)
    proxy = stack.proxy_to("worker", "large", more=["--config", str(folder / "proxy.toml")])
    await asyncio.gather(stack.worker.start(), large.start())
    await proxy.start()
    await _until_ready(stack.port, workers=2)
    async with connect(stack.url, subprotocols=[Subprotocol(SUBPROTOCOL)], compression=None) as socket:
        await socket.send(encode(Hello(token=TOKEN)))
        welcome = decode_to_client(await asyncio.wait_for(socket.recv(decode=False), ANSWER_WITHIN))
        assert isinstance(welcome, Welcome)
        assert {(model.name, model.tier) for model in welcome.models} == {("starter", "small"), ("larger", "large")}
        yield Person(socket)


async def _until_ready(port: int, workers: int) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(ANSWER_WITHIN):
        while True:
            async with http.get(f"http://127.0.0.1:{port}/metrics") as response:
                if f"foretype_edge_workers_ready {workers:.1f}" in await response.text():
                    return
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(("settings", "model"), [(UNSURE_OF_ALL, "larger"), (SURE_OF_ALL, "starter")])
async def test_confidence_decides_who_answers_what_was_asked_by_hand(
    stack: Stack, folder: Path, settings: str, model: str
) -> None:
    async with edge(stack, folder, settings) as person:
        answer = await person.ask(kind="invoked", give_up_ms=3_000)
        assert (answer.done.reason, answer.done.model) == ("stop", model)
        assert answer.text.startswith("urn")
        typed = await person.ask()
        assert typed.done.model == "starter"
