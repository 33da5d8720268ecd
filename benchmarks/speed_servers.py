"""The servers that `starter_speed` measures, started for real and asked the same: the worker and llama.cpp's own.

All times are seconds of this process's clock, so they hold the server's protocol, its sockets and its parsing too.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import aiohttp
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.typing import Subprotocol

from gpu_worker import models
from gpu_worker.fim import FAMILIES
from lsp_server.demo.programs import Program, free_port
from wire_protocol.codec import decode_to_proxy, encode
from wire_protocol.frames import SUBPROTOCOL, Context, Done, Error, Hello, Submit, Tokens, Welcome

GIVE_UP_MS = 60_000
READY_LINE = "Uvicorn running on"
QWEN = next(family for family in FAMILIES if family.name == "qwen")
"""The starter's markers."""


@dataclass(frozen=True, slots=True)
class Answer:
    """When it was asked, when its first text and its end came; tokens generated; of the prompt's, those not reused."""

    asked: float
    first: float
    ended: float
    generated: int
    evaluated: int | None = None
    """None: the server does not say."""

    @property
    def first_ms(self) -> float:
        """Time to first token, in milliseconds."""
        return (self.first - self.asked) * 1_000

    @property
    def rate(self) -> float:
        """Tokens a second after the first."""
        return (self.generated - 1) / (self.ended - self.first) if self.ended > self.first else 0.0


class Server(Protocol):
    """One that completes; use as an asynchronous context manager."""

    name: str

    @property
    def pid(self) -> int | None:
        """Its process, if it was started here."""

    async def __aenter__(self) -> Server: ...
    async def __aexit__(self, *error: object) -> None: ...
    async def ask(self, context: Context, doc: str, max_tokens: int) -> Answer:
        """Complete greedily."""


def prompt(context: Context) -> str:
    """The text of a context in the worker's own layout."""
    path = f"{QWEN.separator}{context.path}\n" if context.path else ""
    return f"{path}{QWEN.prefix}{context.before}{QWEN.suffix}{context.after}{QWEN.middle}{context.typed}"


async def start(program: Program) -> None:
    """Start a program; interrupted while it starts, it does not stay behind. Raises ProgramFailedError."""
    try:
        await program.start()
    except BaseException:
        await program.stop()
        raise


class Worker:
    """`foretype-worker --engine llama`, spoken to as the proxy does."""

    name = "foretype-worker"

    def __init__(self, model: str, folder: Path, arguments: list[str]) -> None:
        self._socket = folder / "worker.sock"
        command = ["--engine", "llama", "--model", model, "--listen", f"unix:{self._socket}", *arguments]
        self._program = Program("gpu_worker", command, folder / "worker.log", {})
        self._connection: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ids = itertools.count(1)
        self._arrived: dict[int, asyncio.Queue[tuple[float, Done | None]]] = {}

    @property
    def pid(self) -> int | None:
        """The worker's process."""
        return self._program.pid

    async def __aenter__(self) -> Worker:
        await start(self._program)
        connection = await unix_connect(
            str(self._socket),
            "ws://localhost/v1/session",
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            ping_interval=None,
        )
        await connection.send(encode(Hello(client="starter_speed")))
        welcome = decode_to_proxy(await connection.recv(decode=False))
        if not isinstance(welcome, Welcome):
            raise RuntimeError(f"the worker answered hello with {welcome}")
        self._connection = connection
        self._reader = asyncio.create_task(self._read(connection))
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        if self._connection is not None:
            await self._connection.close()
        await self._program.stop()

    async def ask(self, context: Context, doc: str, max_tokens: int) -> Answer:
        """See `Server.ask`. Raises RuntimeError when the worker refuses."""
        if self._connection is None:
            raise RuntimeError("the worker has not been started")
        id = next(self._ids)
        arrived = self._arrived[id] = asyncio.Queue()
        submit = Submit(id=id, doc=doc, context=context, max_tokens=max_tokens, lines="multi", give_up_ms=GIVE_UP_MS)
        asked = time.perf_counter()
        await self._connection.send(encode(submit))
        first, done = await arrived.get()
        at = first
        while done is None:
            at, done = await arrived.get()
        del self._arrived[id]
        if done.reason not in ("stop", "length"):
            raise RuntimeError(f"the worker ended a request with {done.reason}: {done.message}")
        usage = done.usage
        return Answer(asked, first, at, usage.generated_tokens, usage.prompt_tokens - usage.reused_tokens)

    async def _read(self, connection: ClientConnection) -> None:
        async for message in connection:
            now = time.perf_counter()
            frame = decode_to_proxy(message if isinstance(message, bytes) else message.encode())
            if isinstance(frame, Tokens):
                for item in frame.items:
                    self._arrived[item.id].put_nowait((now, None))
            elif isinstance(frame, Done):
                self._arrived[frame.id].put_nowait((now, frame))
            elif isinstance(frame, Error):
                raise RuntimeError(f"the worker says {frame.code}: {frame.message}")


class OpenAi:
    """A server with a streaming /v1/completions that keeps the control tokens of its prompt's text."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self._url = url
        self._http: aiohttp.ClientSession | None = None

    @property
    def pid(self) -> int | None:
        """Not known: it was not started here."""
        return None

    async def __aenter__(self) -> OpenAi:
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._http is not None:
            await self._http.close()

    async def ask(self, context: Context, doc: str, max_tokens: int) -> Answer:
        """See `Server.ask`; tokens are counted as pieces of the stream. Raises aiohttp.ClientError."""
        if self._http is None:
            raise RuntimeError("the session has not been opened")
        body = {"prompt": prompt(context), "max_tokens": max_tokens, "temperature": 0, "stream": True}
        asked = time.perf_counter()
        first, pieces, ended = 0.0, 0, asked
        async with self._http.post(f"{self._url}/completions", json=body) as response:
            response.raise_for_status()
            async for line in response.content:
                if not line.startswith(b"data: {"):
                    continue
                ended = time.perf_counter()
                first = first or ended
                choices = json.loads(line[len(b"data: ") :]).get("choices") or [{}]
                pieces += bool(choices[0].get("text"))
        return Answer(asked, first or ended, ended, pieces)


class LlamaCppServer(OpenAi):
    """`llama_cpp.server` of llama-cpp-python: the same llama.cpp and the same file, in its own server."""

    def __init__(self, model: str, folder: Path, context: int, threads: int) -> None:
        port = free_port()
        super().__init__("llama_cpp.server", f"http://127.0.0.1:{port}/v1")
        options = {
            "--model": str(models.resolve(model)),
            "--host": "127.0.0.1",
            "--port": str(port),
            "--n_ctx": str(context),
            # By default a second stream ends the first.
            "--interrupt_requests": "False",
            "--verbose": "False",
        }
        if threads:
            options |= {"--n_threads": str(threads), "--n_threads_batch": str(threads)}
        arguments = [part for pair in options.items() for part in pair]
        self._program = Program("llama_cpp.server", arguments, folder / "peer.log", {}, ready=READY_LINE)

    @property
    def pid(self) -> int | None:
        """The server's process."""
        return self._program.pid

    async def __aenter__(self) -> LlamaCppServer:
        await start(self._program)
        await super().__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await super().__aexit__(*error)
        await self._program.stop()
