"""A real language server for a workspace, with a recording edge as its only source."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from raw_lsp import RawClient
from recording_edge import FakeEdge


class Session:
    """A real server for a workspace, with the edge as its only source."""

    def __init__(self, folder: Path, workspace: Path, edge: FakeEdge) -> None:
        self.workspace = workspace
        config = folder / "config.toml"
        config.write_text(f"[edge]\nurls = {json.dumps([edge.url])}\n[local]\nenabled = false\n")
        self.environment = {
            "FORETYPE_CONFIG": str(config),
            "FORETYPE_RUNTIME_DIR": str(folder / "run"),
            "FORETYPE_STATE_DIR": str(folder / "state"),
            "FORETYPE_LOG_LEVEL": "debug",
        }
        self.logs = folder / "state"
        self.client = RawClient()
        self.versions: Counter[str] = Counter()

    async def start(self) -> None:
        await self.client.start(self.environment)
        root = {"uri": self.workspace.as_uri(), "name": "w"}
        able = {"general": {"positionEncodings": ["utf-32"]}}
        params = {
            "processId": None,
            "rootUri": root["uri"],
            "workspaceFolders": [root],
            "capabilities": able,
        }
        await self.client.until_answered(self.client.ask("initialize", params), seconds=30)
        self.client.notify("initialized", {})

    def uri(self, path: str) -> str:
        return (self.workspace / path).as_uri()

    def open(self, path: str, language: str, text: str) -> None:
        document = {"uri": self.uri(path), "languageId": language, "version": 0, "text": text}
        self.client.notify("textDocument/didOpen", {"textDocument": document})

    def type(self, path: str, line: int, character: int, text: str) -> None:
        self.versions[path] += 1
        at = {"line": line, "character": character}
        document = {"uri": self.uri(path), "version": self.versions[path]}
        change = {"range": {"start": at, "end": at}, "text": text}
        self.client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})

    async def complete(self, path: str, language: str, text: str) -> None:
        """Open a file and ask at its end, until there is an answer."""
        self.open(path, language, text)
        await self.client.until_answered(self.ask(path, text.count("\n"), 0), seconds=20)

    def ask(self, path: str, line: int, character: int) -> int:
        return self.client.ask(
            "textDocument/inlineCompletion",
            {
                "textDocument": {"uri": self.uri(path)},
                "position": {"line": line, "character": character},
                "context": {"triggerKind": 1},
            },
        )
