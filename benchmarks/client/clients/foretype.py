"""Foretype's own language server, as it is installed, with one edge to ask and no local model."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.client.clients.json_rpc import JsonRpc, RpcError
from benchmarks.client.editor_model import Edit, position
from benchmarks.client.ghost import Answer
from benchmarks.errors import BenchError

ONLINE_S: Final = 30.0
WITHOUT: Final = "FORETYPE_WITHOUT"
"""What switches techniques off (`lsp_server/techniques.py`): names with commas."""


def lsp_range(before: str, edit: Edit) -> dict[str, Any]:
    """The range that an edit replaced, as LSP has it."""
    start, end = position(before, edit.start), position(before, edit.end)
    return {
        "start": {"line": start[0], "character": start[1]},
        "end": {"line": end[0], "character": end[1]},
    }


class Foretype:
    """`foretype-lsp --stdio` with `textDocument/inlineCompletion`. `without`: techniques that are switched off."""

    name = "Foretype"

    def __init__(self, port: int, folder: Path, without: Sequence[str] = ()) -> None:
        self._port = port
        self._folder = folder
        self._without = without
        self._rpc = JsonRpc()
        self._uri = ""
        self._version = 0

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._rpc.pid

    async def start(self) -> None:
        """Start it, and wait until its edge is there. Raises BenchError."""
        config = self._folder / "config.toml"
        config.write_text(
            f'[edge]\nurls = ["ws://127.0.0.1:{self._port}/v1/session"]\n[local]\nenabled = false\n', encoding="utf-8"
        )
        environment = {
            **os.environ,
            "FORETYPE_CONFIG": str(config),
            "FORETYPE_STATE_DIR": str(self._folder / "state"),
            "FORETYPE_RUNTIME_DIR": str(self._folder / "run"),
            WITHOUT: ",".join(self._without),
        }
        command = [sys.executable, "-m", "lsp_server", "--stdio"]
        await self._rpc.start(command, environment, self._folder / "foretype.log")
        await self._rpc.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": self._folder.as_uri(),
                "clientInfo": {"name": "foretype-bench", "version": "1"},
                "capabilities": {"textDocument": {"inlineCompletion": {}}},
            },
        )
        self._rpc.notify("initialized", {})
        try:
            async with asyncio.timeout(ONLINE_S):
                while (self._rpc.notes.get("foretype/status") or {}).get("state") != "online":
                    self._rpc.changed.clear()
                    await self._rpc.changed.wait()
        except TimeoutError:
            raise BenchError(f"foretype-lsp did not reach its edge within {ONLINE_S:.0f} s.") from None

    def open(self, path: str, language: str, text: str) -> None:
        """`didOpen`, and `didClose` of the document before."""
        if self._uri:
            self._rpc.notify("textDocument/didClose", {"textDocument": {"uri": self._uri}})
        self._uri = (self._folder / Path(path).name).as_uri()
        self._version += 1
        document = {"uri": self._uri, "languageId": language, "version": self._version, "text": text}
        self._rpc.notify("textDocument/didOpen", {"textDocument": document})

    def changed(self, edit: Edit, before: str) -> None:
        """`didChange`."""
        self._version += 1
        self._rpc.notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": self._uri, "version": self._version},
                "contentChanges": [{"range": lsp_range(before, edit), "text": edit.text}],
            },
        )

    def ask(self, text: str, cursor: int) -> asyncio.Task[Answer | None]:
        """`textDocument/inlineCompletion`."""
        line, column = position(text, cursor)
        return asyncio.create_task(self._ask(line, column))

    async def _ask(self, line: int, column: int) -> Answer | None:
        try:
            result = await self._rpc.ask(
                "textDocument/inlineCompletion",
                {
                    "textDocument": {"uri": self._uri},
                    "position": {"line": line, "character": column},
                    "context": {"triggerKind": 2},
                },
            )
        except RpcError:
            return None
        if result is None:
            return None
        items = result["items"] if isinstance(result, dict) else result
        if not items:
            return Answer("")
        item = items[0]
        text, where = item["insertText"], item.get("range")
        if where is None:
            return Answer(text, 0, item)
        ahead = column - where["start"]["character"]
        beyond = where["end"]["character"] - column if where["end"]["line"] == line else 0
        return Answer(text[ahead:], max(0, beyond), item)

    def shown(self, token: object) -> None:
        """Stock editors do not say; nor does this one."""

    def accepted(self, token: object) -> None:
        """Run the item's command, as editors do."""
        if isinstance(token, dict) and (command := token.get("command")):
            self._rpc.send(
                "workspace/executeCommand", {"command": command["command"], "arguments": command.get("arguments")}
            )

    async def stop(self) -> None:
        """Shut it down."""
        await self._rpc.stop()
