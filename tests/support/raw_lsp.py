"""A language client that only counts: every message the server sends is kept as it came, so that none is missed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

MAX_MESSAGE = 16 * 1_048_576


class RawClient:
    """JSON-RPC over the stdio of a real `foretype-lsp`; `answers` counts responses by request id."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.answers: Counter[Any] = Counter()
        self.errors: list[dict[str, Any]] = []
        self._changed = asyncio.Condition()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ids = 0

    async def start(self, environment: Mapping[str, str]) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "lsp_server",
            "--stdio",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, **environment},
            limit=MAX_MESSAGE,
        )
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process is not None
        stream = self._process.stdout
        assert stream is not None
        while header := await stream.readline():
            size = int(header.partition(b":")[2])
            while (await stream.readline()).strip():
                pass
            message = json.loads(await stream.readexactly(size))
            if "method" not in message:
                async with self._changed:
                    self.answers[message["id"]] += 1
                    if "error" in message:
                        self.errors.append(message["error"])
                    self._changed.notify_all()

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def notify(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def ask(self, method: str, params: Any) -> int:
        """Send a request; its id."""
        self._ids += 1
        self.asked.append(self._ids)
        self._send({"id": self._ids, "method": method, "params": params})
        return self._ids

    async def until_answered(self, *ids: int, seconds: float) -> None:
        """Wait until each of `ids` (all that were asked, if none is named) has an answer."""
        wanted = set(ids or self.asked)
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: wanted <= self.answers.keys())

    async def until_gone(self, *, close: bool, seconds: float) -> int:
        """Wait for the server's end and its last message; its exit code. `close`: close the connection first."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._reader is not None
        if close:
            self._process.stdin.close()
        async with asyncio.timeout(seconds):
            code = await self._process.wait()
            await self._reader
        return code

    async def stop(self) -> None:
        """Shut the server down and read to its last word."""
        if self._process is None or self._reader is None:
            return
        self.ask("shutdown", None)
        await self.until_answered(seconds=20)
        self.notify("exit", None)
        await self.until_gone(close=False, seconds=20)
