"""Continue's autocomplete (@continuedev/core) in a Node process, driven by `peers/continue_client.mjs`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from pathlib import Path
from typing import Any, Final

from benchmarks.client.editor_model import Edit, position
from benchmarks.client.ghost import Answer
from benchmarks.client.peers_installed import CONTINUE
from benchmarks.errors import BenchError

START_S: Final = 30.0
STOP_S: Final = 5.0
MAX_LINE: Final = 16 * 1_048_576


def fitted(completion: str, rest_of_line: str) -> Answer:
    """How the extension puts a completion into the line: several lines replace what follows the cursor on it, one line
    replaces it where it repeats it at its end (an auto-closed bracket), and is inserted before it otherwise."""
    if "\n" in completion or (rest_of_line and completion.endswith(rest_of_line)):
        return Answer(completion, len(rest_of_line))
    return Answer(completion)


class Continue:
    """The real CompletionProvider; its VS Code extension's part, the range, is `fitted`."""

    name = "Continue"

    def __init__(self, port: int, folder: Path) -> None:
        self._port = port
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._futures: dict[int, asyncio.Future[str | None]] = {}
        self._ids = 0

    @property
    def pid(self) -> int:
        """Node's process."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start it. Raises BenchError."""
        environment = {**os.environ, "HOME": str(self._folder), "DO_NOT_TRACK": "1"}
        with (self._folder / "continue.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                "node",
                str(CONTINUE),
                f"http://127.0.0.1:{self._port}/fim",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=environment,
                limit=MAX_LINE,
            )
        self._reader = asyncio.create_task(self._read())
        try:
            async with asyncio.timeout(START_S):
                await self._ready.wait()
        except TimeoutError:
            raise BenchError(f"Continue did not start within {START_S:.0f} s.") from None

    def open(self, path: str, language: str, text: str) -> None:
        """The editor's active document is another one now."""
        self._say({"op": "open", "uri": (self._folder / Path(path).name).as_uri(), "text": text})

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            message = json.loads(line)
            if "ready" in message:
                self._ready.set()
            elif (future := self._futures.pop(message["id"], None)) is not None and not future.done():
                future.set_result(message["text"])

    def _say(self, message: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError, RuntimeError):
            self._process.stdin.write(json.dumps(message).encode() + b"\n")

    def changed(self, edit: Edit, before: str) -> None:
        """The editor's document changed, which Continue reads anew at each request."""
        self._say({"op": "change", "start": edit.start, "end": edit.end, "text": edit.text})

    def ask(self, text: str, cursor: int) -> asyncio.Task[Answer | None]:
        """`provideInlineCompletionItems`."""
        line, column = position(text, cursor)
        return asyncio.create_task(self._ask(line, column, text[cursor:].partition("\n")[0]))

    async def _ask(self, line: int, column: int, rest_of_line: str) -> Answer | None:
        self._ids += 1
        id = self._ids
        future: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._futures[id] = future
        self._say({"op": "ask", "id": id, "line": line, "character": column})
        try:
            completion = await future
        except asyncio.CancelledError:
            self._futures.pop(id, None)
            self._say({"op": "cancel", "id": id})
            raise
        if not completion:
            return Answer("")
        answer = fitted(completion, rest_of_line)
        return Answer(answer.text, answer.replaced, id)

    def shown(self, token: object) -> None:
        """`markDisplayed`."""
        self._say({"op": "shown", "id": token})

    def accepted(self, token: object) -> None:
        """`accept`."""
        self._say({"op": "accept", "id": token})

    async def stop(self) -> None:
        """Close its input, which ends it."""
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        if self._reader is not None:
            await asyncio.gather(self._reader, return_exceptions=True)
