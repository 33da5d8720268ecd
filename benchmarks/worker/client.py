"""A real `foretype-worker` as a bench uses it: started or connected to, asked over its own wire protocol.

The bench is the worker's peer as a proxy or a language server is: `hello`, `submit` as `credit` allows, `tokens`,
`done`. Nothing of the worker is imported.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from benchmarks.errors import BenchError
from lsp_server.demo.programs import Program, ProgramFailedError
from wire_protocol.codec import ProtocolError, decode_to_proxy, encode
from wire_protocol.frames import (
    MAX_BUDGET_MS,
    SUBPROTOCOL,
    Cancel,
    Context,
    Credit,
    Done,
    Error,
    GoAway,
    Hello,
    Lines,
    Submit,
    Tokens,
    Welcome,
)

DIAL_S: Final = 30.0
"""Seconds for a worker that listens to welcome us; one that runs already may be busy."""
PATH: Final = "/v1/session"


@dataclass
class Reply:
    """The text of one answer, and its `done`."""

    text: str
    done: Done


@dataclass
class _Waiting:
    text: list[str] = field(default_factory=list)
    began: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Future[Done] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class WorkerClient:
    """One session with a worker. Made by `connected`."""

    def __init__(self, websocket: ClientConnection, welcome: Welcome, address: str) -> None:
        self.welcome: Final = welcome
        self.address: Final = address
        self._websocket = websocket
        self._waiting: dict[int, _Waiting] = {}
        self._balance = 0
        self._news = asyncio.Condition()
        self._lost: str | None = None
        self._ids = 0

    @property
    def model(self) -> str:
        """The name of the model that answers, as the worker states it."""
        return self.welcome.models[0].name if self.welcome.models else ""

    async def ask(
        self, context: Context, lines: Lines, max_tokens: int, stop: Sequence[str] = (), doc: str = ""
    ) -> Reply:
        """One answer, however long it takes; waits for credit first.

        Raises:
            BenchError: the worker refused, shed or failed, or the connection was lost.
        """
        async with self._news:
            await self._news.wait_for(lambda: self._balance > 0 or self._lost is not None)
            if self._lost is not None:
                raise BenchError(self._lost)
            self._balance -= 1
            self._ids += 1
            submit = Submit(
                id=self._ids,
                doc=doc,
                context=context,
                max_tokens=max_tokens,
                lines=lines,
                stop=list(stop),
                kind="invoked",
                give_up_ms=MAX_BUDGET_MS,
            )
            waiting = self._waiting[submit.id] = _Waiting()
        try:
            with contextlib.suppress(ConnectionClosed):  # the reader says why
                await self._websocket.send(encode(submit))
            done = await waiting.done
        finally:
            self._waiting.pop(submit.id, None)
        if done.reason not in ("stop", "length"):
            raise BenchError(
                f"The worker at {self.address} answered {done.reason}: {done.message or 'no reason given'}"
            )
        return Reply("".join(waiting.text), done)

    async def cancel_in_the_middle(self, context: Context, max_tokens: int) -> float:
        """Ask, cancel at the first text, and return the seconds from the cancel to its `done`.

        Raises:
            BenchError: the answer ended before it could be cancelled, or the connection was lost.
        """
        async with self._news:
            await self._news.wait_for(lambda: self._balance > 0 or self._lost is not None)
            if self._lost is not None:
                raise BenchError(self._lost)
            self._balance -= 1
            self._ids += 1
            id = self._ids
            waiting = self._waiting[id] = _Waiting()
        submit = Submit(
            id=id, context=context, max_tokens=max_tokens, lines="multi", kind="invoked", give_up_ms=MAX_BUDGET_MS
        )
        try:
            await self._websocket.send(encode(submit))
            await waiting.began.wait()
            sent = time.perf_counter()
            await self._websocket.send(encode(Cancel(ids=[id])))
            done = await waiting.done
        except ConnectionClosed as error:
            raise BenchError(f"The connection to the worker at {self.address} was lost ({error}).") from None
        finally:
            self._waiting.pop(id, None)
        if done.reason != "cancelled":
            raise BenchError(f"The answer ended ({done.reason}) before it was cancelled: let it be longer.")
        return time.perf_counter() - sent

    async def run(self) -> None:
        """Read until the connection ends; what is still waiting then is told so."""
        why = f"The connection to the worker at {self.address} was lost: see its log, and run the bench again."
        try:
            async for message in self._websocket:
                if isinstance(message, bytes):
                    await self._take(decode_to_proxy(message))
        except ProtocolError as error:
            why = f"The worker at {self.address} sent what this version does not understand: {error}"
        except BenchError as error:
            why = str(error)
        except ConnectionClosed:
            pass
        async with self._news:
            self._lost = why
            self._news.notify_all()
        for waiting in self._waiting.values():
            if not waiting.done.done():
                waiting.done.set_exception(BenchError(why))
                waiting.began.set()

    async def _take(self, frame: object) -> None:
        if isinstance(frame, Tokens):
            for item in frame.items:
                if item.id in self._waiting:
                    self._waiting[item.id].text.append(item.text)
                    self._waiting[item.id].began.set()
        elif isinstance(frame, Done):
            waiting = self._waiting.get(frame.id)
            if waiting is not None and not waiting.done.done():
                waiting.done.set_result(frame)
                waiting.began.set()
        elif isinstance(frame, Credit):
            async with self._news:
                self._balance += frame.grant
                self._news.notify_all()
        elif isinstance(frame, Error):
            raise BenchError(f"The worker at {self.address} reports {frame.code}: {frame.message}")
        elif isinstance(frame, GoAway):
            raise BenchError(f"The worker at {self.address} is leaving: {frame.reason or 'it was told to'}")


@contextlib.asynccontextmanager
async def connected(address: str, token: str = "") -> AsyncIterator[WorkerClient]:
    """A session with the worker at `ws://…`, `wss://…` or `unix:PATH`. Raises BenchError."""
    try:
        async with asyncio.timeout(DIAL_S):
            websocket = await _dial(address)
    except TimeoutError:
        raise BenchError(f"The worker at {address} did not answer within {DIAL_S:.0f} s.") from None
    except (OSError, WebSocketException, EOFError, ValueError) as error:
        raise BenchError(f"No worker answers at {address} ({error}): start one with foretype-worker.") from None
    async with websocket:
        client = WorkerClient(websocket, await _welcomed(websocket, address, token), address)
        reader = asyncio.create_task(client.run())
        try:
            yield client
        finally:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader


async def _dial(address: str) -> ClientConnection:
    protocols = [Subprotocol(SUBPROTOCOL)]
    if address.startswith("unix:"):
        path = address.removeprefix("unix:")
        return await unix_connect(path, f"ws://localhost{PATH}", subprotocols=protocols, compression=None)
    url = address if "/" in address.partition("://")[2] else address + PATH
    return await connect(url, subprotocols=protocols, compression=None)


async def _welcomed(websocket: ClientConnection, address: str, token: str) -> Welcome:
    try:
        async with asyncio.timeout(DIAL_S):
            await websocket.send(encode(Hello(token=token, client="foretype-bench")))
            frame = decode_to_proxy(await websocket.recv(decode=False))
    except (TimeoutError, ConnectionClosed, ProtocolError) as error:
        raise BenchError(f"The worker at {address} gave no welcome: {error or 'it said nothing'}.") from None
    if isinstance(frame, Error):
        raise BenchError(f"The worker at {address} refused the session: {frame.message or frame.code}")
    if not isinstance(frame, Welcome):
        raise BenchError(f"What answers at {address} is no foretype-worker.")
    return frame


@contextlib.asynccontextmanager
async def started(arguments: Sequence[str]) -> AsyncIterator[WorkerClient]:
    """A session with a worker that is started for it with these arguments, and stopped after it. Raises BenchError."""
    # A unix socket's path has room for about 100 bytes, so a short folder's name.
    with tempfile.TemporaryDirectory(prefix="ft-") as folder:
        address = f"unix:{folder}/worker.sock"
        program = Program("gpu_worker", [*arguments, "--listen", address], Path(folder) / "worker.log", {})
        try:
            await program.start()
            async with connected(address) as client:
                yield client
        except ProgramFailedError as error:
            raise BenchError(f"The worker does not start: {error}") from None
        finally:
            await program.stop()
