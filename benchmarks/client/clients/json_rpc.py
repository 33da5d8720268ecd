"""LSP over the stdio of a child process: notifications, requests that can be cancelled, as an editor sends them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.errors import BenchError

MAX_MESSAGE: Final = 16 * 1_048_576
STOP_S: Final = 5.0
ANSWER_S: Final = 60.0


class RpcError(Exception):
    """The server answered with an error; -32800 is the answer to a cancelled request."""


class JsonRpc:
    """One language server."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._futures: dict[int, asyncio.Future[Any]] = {}
        self._ids = 0
        self.notes: dict[str, Any] = {}
        """The last parameters of each notification that the server sent."""
        self.changed = asyncio.Event()

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._process is not None
        return self._process.pid

    async def start(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        """Start it. Raises BenchError."""
        try:
            with log.open("wb") as errors:
                self._process = await asyncio.create_subprocess_exec(
                    *command,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=errors,
                    env=dict(environment),
                    limit=MAX_MESSAGE,
                )
        except OSError as error:
            raise BenchError(f"{command[0]} does not start: {error.strerror}.") from None
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process is not None
        stream = self._process.stdout
        assert stream is not None
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while header := await stream.readline():
                if not header.lower().startswith(b"content-length:"):
                    continue
                size = int(header.partition(b":")[2])
                while (await stream.readline()).strip():
                    pass
                self._take(json.loads(await stream.readexactly(size)))
        for future in self._futures.values():
            if not future.done():
                future.set_exception(RpcError("the server left"))

    def _take(self, message: dict[str, Any]) -> None:
        if "method" in message:
            if "id" in message:  # the server asks the editor: nothing is configured here
                self._write({"id": message["id"], "result": None})
            else:
                self.notes[message["method"]] = message.get("params")
                self.changed.set()
            return
        future = self._futures.pop(message["id"], None)
        if future is None or future.done():
            return
        if "error" in message:
            future.set_exception(RpcError(str(message["error"].get("message"))))
        else:
            future.set_result(message.get("result"))

    def _write(self, message: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        with contextlib.suppress(ConnectionError, RuntimeError):
            self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._write({"method": method, "params": params})

    def send(self, method: str, params: Any) -> tuple[int, asyncio.Future[Any]]:
        """Send a request: its id, and what its answer is put into."""
        self._ids += 1
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._futures[self._ids] = future
        self._write({"id": self._ids, "method": method, "params": params})
        return self._ids, future

    async def ask(self, method: str, params: Any) -> Any:
        """A request's result; cancelling this sends `$/cancelRequest`. Raises RpcError."""
        id, future = self.send(method, params)
        try:
            return await future
        except asyncio.CancelledError:
            self._futures.pop(id, None)
            self.notify("$/cancelRequest", {"id": id})
            raise

    async def stop(self) -> None:
        """Shut it down, and kill it if it stays."""
        if self._process is None:
            return
        with contextlib.suppress(TimeoutError, RpcError):
            await asyncio.wait_for(self.ask("shutdown", None), STOP_S)
        self.notify("exit", None)
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
