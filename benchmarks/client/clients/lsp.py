"""What the clients that are language servers have in common: a process, and the document as it is told of edits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.client.clients.json_rpc import JsonRpc
from benchmarks.client.editor_model import Edit, position


def lsp_range(before: str, edit: Edit) -> dict[str, Any]:
    """The range that an edit replaced, as LSP has it."""
    start, end = position(before, edit.start), position(before, edit.end)
    return {
        "start": {"line": start[0], "character": start[1]},
        "end": {"line": end[0], "character": end[1]},
    }


class LspClient:
    """One document at a time, in a folder of its own; `port` is the backend's."""

    def __init__(self, port: int, folder: Path) -> None:
        self._port = port
        self._folder = folder
        self._rpc = JsonRpc()
        self._uri = ""
        self._version = 0

    @property
    def pid(self) -> int:
        """The process of the server."""
        return self._rpc.pid

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

    async def stop(self) -> None:
        """Shut it down."""
        await self._rpc.stop()
