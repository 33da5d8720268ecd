"""tabby-agent in its LSP mode, which offers `textDocument/completion` alone."""

from __future__ import annotations

import asyncio
import os
from typing import Final

from benchmarks.client.clients.json_rpc import RpcError
from benchmarks.client.clients.lsp import LspClient
from benchmarks.client.editor_model import position
from benchmarks.client.ghost import Answer
from benchmarks.client.peers_installed import TABBY

CONNECT_S: Final = 1.0
"""For its first look at the server's health, which nothing announces."""


class Tabby(LspClient):
    """Its home is a folder of its own; anonymous usage tracking is off."""

    name = "Tabby"

    async def start(self) -> None:
        """Start it. Raises BenchError."""
        config = self._folder / ".tabby-client" / "agent" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(
            f'[server]\nendpoint = "http://127.0.0.1:{self._port}"\n[anonymousUsageTracking]\ndisable = true\n',
            encoding="utf-8",
        )
        environment = {**os.environ, "HOME": str(self._folder)}
        await self._rpc.start(["node", str(TABBY), "--lsp", "--stdio"], environment, self._folder / "tabby.log")
        await self._rpc.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": self._folder.as_uri(),
                "clientInfo": {"name": "foretype-bench", "version": "1"},
                "capabilities": {},
            },
        )
        self._rpc.notify("initialized", {})
        await asyncio.sleep(CONNECT_S)

    def ask(self, text: str, cursor: int) -> asyncio.Task[Answer | None]:
        """`textDocument/completion`; its item begins with the word before the cursor."""
        line, column = position(text, cursor)
        return asyncio.create_task(self._ask(line, column))

    async def _ask(self, line: int, column: int) -> Answer | None:
        try:
            result = await self._rpc.ask(
                "textDocument/completion",
                {"textDocument": {"uri": self._uri}, "position": {"line": line, "character": column}},
            )
        except RpcError:
            return None
        items = (result or {}).get("items") or []
        if not items:
            return Answer("")
        edit = items[0]["textEdit"]
        ahead = column - edit["range"]["start"]["character"]
        end = edit["range"]["end"]
        return Answer(edit["newText"][ahead:], max(0, end["character"] - column) if end["line"] == line else 0)

    def shown(self, token: object) -> None:
        """Its LSP mode has no word for it."""

    def accepted(self, token: object) -> None:
        """Its LSP mode has no word for it."""
