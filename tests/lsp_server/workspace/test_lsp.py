"""Notebooks, watched files and other files' code, over JSON-RPC as editors speak it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from completion_fakes import FakeSource

from lsp_server.serve import serve
from lsp_server.server import ForetypeServer
from lsp_server.settings import Loaded
from wire_protocol.frames import Context

CAPABILITIES = {
    "workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}},
    "notebookDocument": {"synchronization": {"dynamicRegistration": False}},
}


class FakeClient:
    """Sends messages, answers those of the server with null, and keeps both."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.source = FakeSource(lambda context: "value\n", latency_s=0.0)
        self.server = ForetypeServer(lambda settings: self.source, lambda **layers: Loaded())
        self.asked: list[dict[str, Any]] = []
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._id = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def connect(self) -> None:
        ours, theirs = socket.socketpair()
        self._reader, self._writer = await asyncio.open_connection(sock=ours)
        reader, self._server_writer = await asyncio.open_connection(sock=theirs)
        self._tasks.append(asyncio.create_task(serve(self.server, reader, self._server_writer)))
        self._tasks.append(asyncio.create_task(self._receive()))
        self.initialized = await self.request(
            "initialize", {"processId": None, "rootUri": self.root.as_uri(), "capabilities": CAPABILITIES}
        )
        self.notify("initialized", {})

    async def _receive(self) -> None:
        while header := await self._reader.readline():
            if not header.startswith(b"Content-Length"):
                continue
            length = int(header.split(b":")[1])
            while (await self._reader.readline()).strip():
                pass
            message = json.loads(await self._reader.readexactly(length))
            if "method" in message and "id" in message:
                self.asked.append(message)
                self._send({"id": message["id"], "result": None})
            elif "id" in message:
                self._answers[message["id"]].set_result(message.get("result"))

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def notify(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    async def request(self, method: str, params: Any) -> Any:
        self._id += 1
        answer = self._answers[self._id] = asyncio.get_running_loop().create_future()
        self._send({"id": self._id, "method": method, "params": params})
        async with asyncio.timeout(10):
            return await answer

    async def complete(self, uri: str, line: int, character: int) -> None:
        position = {"line": line, "character": character}
        params = {"textDocument": {"uri": uri}, "position": position, "context": {"triggerKind": 1}}
        await self.request("textDocument/inlineCompletion", params)

    def asked_for(self) -> Context:
        """The context of the last request that was no prefetch."""
        return [request.context for request in self.source.requests if request.kind != "prefetch"][-1]

    async def open(self, path: str, text: str) -> str:
        (self.root / path).write_text(text, encoding="utf-8")
        uri = (self.root / path).as_uri()
        item = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})
        workspace = self.server.surroundings
        async with asyncio.timeout(10):
            while workspace is None or uri not in workspace.indexer.library.declared:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        return uri

    async def close(self) -> None:
        self.notify("exit", None)
        self._writer.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.fixture
async def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeClient]:
    monkeypatch.setenv("FORETYPE_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "w").mkdir()
    made = FakeClient(tmp_path / "w")
    await made.connect()
    yield made
    await made.server.finish()
    await made.close()


def cell_uri(name: str) -> str:
    return f"vscode-notebook-cell:/w/a.ipynb#{name}"


def open_notebook(client: FakeClient, **texts: str) -> None:
    cells = [{"kind": 2, "document": cell_uri(name)} for name in texts]
    documents = [
        {"uri": cell_uri(name), "languageId": "python", "version": 1, "text": text} for name, text in texts.items()
    ]
    notebook = {"uri": "file:///w/a.ipynb", "notebookType": "jupyter-notebook", "version": 1, "cells": cells}
    client.notify("notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": documents})


async def test_an_open_file_helps_in_another_and_the_editor_watches_files(client: FakeClient) -> None:
    await client.open("helper.py", "def flush_entries(store, entries, limit):\n    store.put(entries, limit)\n")
    main = await client.open("main.py", "def save(store, entries, limit):\n    flush")
    await client.complete(main, 1, 9)
    context = client.asked_for()
    assert [snippet.path for snippet in context.snippets] == ["helper.py"]
    assert any(message["method"] == "client/registerCapability" for message in client.asked)


async def test_a_file_of_secrets_that_is_open_helps_nowhere(client: FakeClient) -> None:
    (client.root / ".env.py").write_text("", encoding="utf-8")
    (client.root / ".gitignore").write_text("helper.py\n", encoding="utf-8")
    text = "def flush_entries(store, entries, limit):\n    store.put(entries, limit)\n"
    client.notify(
        "textDocument/didOpen",
        {
            "textDocument": {
                "uri": (client.root / "helper.py").as_uri(),
                "languageId": "python",
                "version": 1,
                "text": text,
            }
        },
    )
    main = await client.open("main.py", "def save(store, entries, limit):\n    flush")
    await client.complete(main, 1, 9)
    assert client.asked_for().snippets == []


async def test_a_cell_is_completed_with_those_above_and_below(client: FakeClient) -> None:
    assert client.initialized["capabilities"]["notebookDocumentSync"]["notebookSelector"]
    open_notebook(client, one="import numpy as np\n", two="x = np.", three="print(x)\n")
    await client.complete(cell_uri("two"), 0, 7)
    context = client.asked_for()
    assert (context.before, context.typed, context.after) == ("import numpy as np\n\n", "x = np.", "\n\nprint(x)\n\n")


async def test_typing_in_a_cell_is_typing(client: FakeClient) -> None:
    open_notebook(client, one="import numpy as np\n", two="x = n")
    end = {"line": 0, "character": 5}
    change = {"range": {"start": end, "end": end}, "text": "p"}
    content = {"document": {"uri": cell_uri("two"), "version": 2}, "changes": [change]}
    client.notify(
        "notebookDocument/didChange",
        {
            "notebookDocument": {"uri": "file:///w/a.ipynb", "version": 2},
            "change": {"cells": {"textContent": [content]}},
        },
    )
    await client.complete(cell_uri("two"), 0, 6)
    context = client.asked_for()
    assert (context.before, context.typed) == ("import numpy as np\n\n", "x = np")


async def test_a_cell_that_was_added_takes_part(client: FakeClient) -> None:
    open_notebook(client, two="x = ")
    cell = {"kind": 2, "document": cell_uri("one")}
    document = {"uri": cell_uri("one"), "languageId": "python", "version": 1, "text": "import os\n"}
    structure = {"array": {"start": 0, "deleteCount": 0, "cells": [cell]}, "didOpen": [document]}
    client.notify(
        "notebookDocument/didChange",
        {
            "notebookDocument": {"uri": "file:///w/a.ipynb", "version": 2},
            "change": {"cells": {"structure": structure}},
        },
    )
    await client.complete(cell_uri("two"), 0, 4)
    assert client.asked_for().before == "import os\n\n"


async def test_changes_of_files_nobody_knows_are_no_trouble(client: FakeClient) -> None:
    changes = [{"uri": uri, "type": 2} for uri in ("file:///elsewhere/a.py", "untitled:x", "x", "file:///%00")]
    client.notify("workspace/didChangeWatchedFiles", {"changes": changes})
    main = await client.open("main.py", "x = ")
    await client.complete(main, 0, 4)
    assert client.asked_for().typed == "x = "
