"""One session with a real foretype-worker: several streams at once, each cancelled in-band when it is closed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from benchmarks.client.ledger import Purpose
from benchmarks.errors import BenchError
from lsp_server.demo.programs import Program, ProgramFailedError
from wire_protocol.codec import decode_to_proxy, encode
from wire_protocol.frames import SUBPROTOCOL, Cancel, Context, Credit, Done, Hello, Lines, Submit, TokenBatch, Tokens

GIVE_UP_MS = 10_000


@dataclass
class WorkerSession:
    """What every client's adapter asks through; waits for credit as a proxy does, the newest first."""

    socket: ClientConnection
    _queues: dict[int, asyncio.Queue[TokenBatch | Done]] = field(default_factory=dict)
    _waiting: list[asyncio.Future[None]] = field(default_factory=list)
    _balance: int = 0
    _ids: int = 0

    async def generate(
        self,
        context: Context,
        lines: Lines,
        max_tokens: int,
        stop: tuple[str, ...],
        purpose: Purpose,
        ended_with: Callable[[Done], None] = lambda done: None,
    ) -> AsyncGenerator[tuple[str, int], None]:
        """(text, tokens) as they come; closing it cancels the request. `ended_with` is told the end, if it comes to
        one. Raises BenchError if the worker fails."""
        await self._credit()
        self._ids += 1
        id = self._ids
        queue = self._queues[id] = asyncio.Queue()
        ended = False
        try:
            await self.socket.send(
                encode(
                    Submit(
                        id=id,
                        context=context,
                        lines=lines,
                        max_tokens=max_tokens,
                        stop=list(stop),
                        kind="prefetch" if purpose == "prefetch" else "automatic",
                        priority=-id,
                        give_up_ms=GIVE_UP_MS,
                    )
                )
            )
            while True:
                item = await queue.get()
                if isinstance(item, Done):
                    ended = True
                    if item.reason == "error":
                        raise BenchError(f"The worker failed: {item.message or 'it gave no reason'}")
                    ended_with(item)
                    return
                yield item.text, item.tokens
        except ConnectionClosed:
            raise BenchError("The connection to the worker was lost: run the bench again.") from None
        finally:
            if not ended:
                with contextlib.suppress(ConnectionClosed):
                    await asyncio.shield(self.socket.send(encode(Cancel(ids=[id]))))
            self._queues.pop(id, None)

    async def _credit(self) -> None:
        while self._balance <= 0:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            finally:
                if turn in self._waiting:
                    self._waiting.remove(turn)
        self._balance -= 1

    async def run(self) -> None:
        """Read until the connection ends."""
        with contextlib.suppress(ConnectionClosed):
            async for message in self.socket:
                if not isinstance(message, bytes):
                    continue
                frame = decode_to_proxy(message)
                if isinstance(frame, Tokens):
                    for item in frame.items:
                        if item.id in self._queues:
                            self._queues[item.id].put_nowait(item)
                elif isinstance(frame, Done) and frame.id in self._queues:
                    self._queues[frame.id].put_nowait(frame)
                elif isinstance(frame, Credit):
                    self._balance += frame.grant
                    for turn in reversed(self._waiting[-max(0, self._balance) :] if self._balance > 0 else []):
                        if not turn.done():
                            turn.set_result(None)


@contextlib.asynccontextmanager
async def started_worker(model: str) -> AsyncIterator[WorkerSession]:
    """A session with a foretype-worker started for it, llama.cpp and `model`. Raises BenchError."""
    with TemporaryDirectory(prefix="ft-") as folder:
        path = f"{folder}/worker.sock"
        arguments = ["--engine", "llama", "--model", model, "--listen", f"unix:{path}"]
        program = Program("gpu_worker", arguments, Path(folder) / "worker.log", {})
        try:
            await program.start()
            async with unix_connect(
                path, "ws://localhost/v1/session", subprotocols=[Subprotocol(SUBPROTOCOL)], compression=None
            ) as socket:
                await socket.send(encode(Hello(client="foretype-bench")))
                await socket.recv(decode=False)  # welcome
                session = WorkerSession(socket)
                reader = asyncio.create_task(session.run())
                try:
                    yield session
                finally:
                    reader.cancel()
                    await asyncio.gather(reader, return_exceptions=True)
        except (ProgramFailedError, OSError, WebSocketException) as error:
            raise BenchError(f"The worker does not start: {error}") from None
        finally:
            await program.stop()
