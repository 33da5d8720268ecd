"""Foretype's own language server, as it is installed, with one edge to ask and no local model."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.client.clients.json_rpc import RpcError
from benchmarks.client.clients.lsp import LspClient
from benchmarks.client.editor_model import position
from benchmarks.client.ghost import Answer
from benchmarks.errors import BenchError

ONLINE_S: Final = 30.0
WITHOUT: Final = "FORETYPE_WITHOUT"
"""What switches techniques off (`lsp_server/techniques.py`): names with commas."""


class Foretype(LspClient):
    """`foretype-lsp --stdio` with `textDocument/inlineCompletion`. `without`: techniques that are switched off."""

    name = "Foretype"

    def __init__(self, port: int, folder: Path, without: Sequence[str] = ()) -> None:
        super().__init__(port, folder)
        self._without = without

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
