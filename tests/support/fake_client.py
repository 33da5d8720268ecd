"""An editor that speaks JSON-RPC with a language server in this process, over a pair of sockets."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

from completion_fakes import FakeSource

from lsp_server.serve import serve
from lsp_server.server import ForetypeServer
from lsp_server.settings import Loaded, Settings

URI = "file:///w/a.py"


class FakeClient:
    """Sends messages and keeps what comes back."""

    def __init__(
        self, source: FakeSource, settings: Settings | None = None, load: Callable[..., Loaded] | None = None
    ) -> None:
        self.source = source
        self.settings = settings or Settings()
        self.problems: tuple[Any, ...] = ()
        self.loaded_with: list[dict[str, Any]] = []
        self.configuration: Callable[[str | None], object] = lambda scope: {"languages": ["go"]}
        """What the editor says of its section `foretype`, by the URI of a folder."""
        self.folders: list[str] = []
        """URIs of the workspace's folders."""
        self.server = ForetypeServer(lambda settings: source, load or self._load)
        self.notifications: list[dict[str, Any]] = []
        self.answers: dict[int, list[dict[str, Any]]] = {}
        self._arrived = asyncio.Event()
        self._id = 0
        self._tasks: list[asyncio.Task[None]] = []

    def _load(self, **layers: Any) -> Loaded:
        self.loaded_with.append(layers)
        return Loaded(self.settings, self.problems)

    async def connect(self) -> None:
        ours, theirs = socket.socketpair()
        self._reader, self._writer = await asyncio.open_connection(sock=ours)
        reader, self._server_writer = await asyncio.open_connection(sock=theirs)
        self._tasks.append(asyncio.create_task(serve(self.server, reader, self._server_writer)))
        self._tasks.append(asyncio.create_task(self._receive()))

    async def _receive(self) -> None:
        while header := await self._reader.readline():
            if not header.startswith(b"Content-Length"):
                continue
            length = int(header.split(b":")[1])
            while (await self._reader.readline()).strip():
                pass
            message = json.loads(await self._reader.readexactly(length))
            if "method" in message and "id" in message:
                items = (message.get("params") or {}).get("items", [])
                result = [self.configuration(item.get("scopeUri")) for item in items]
                self._send({"id": message["id"], "result": result})
                self.notifications.append(message)
            elif "method" in message:
                self.notifications.append(message)
            else:
                self.answers.setdefault(message["id"], []).append(message)
            self._arrived.set()

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def notify(self, method: str, params: Any = None) -> None:
        self._send({"method": method, "params": params})

    def request(self, method: str, params: Any = None) -> int:
        self._id += 1
        self._send({"id": self._id, "method": method, "params": params})
        return self._id

    async def answer(self, id: int) -> dict[str, Any]:
        while id not in self.answers:
            await self.arrival()
        return self.answers[id][0]

    async def arrival(self) -> None:
        self._arrived.clear()
        await self._arrived.wait()

    async def notification(self, method: str) -> dict[str, Any]:
        while True:
            for message in self.notifications:
                if message["method"] == method:
                    params: dict[str, Any] = message["params"]
                    return params
            await self.arrival()

    async def initialize(self, name: str = "tests", capabilities: dict[str, Any] | None = None) -> dict[str, Any]:
        await self.connect()
        params: dict[str, Any] = {
            "processId": None,
            "rootUri": "file:///w",
            "clientInfo": {"name": name},
            "capabilities": capabilities or {},
            "initializationOptions": {"edge": {"urls": []}},
        }
        if self.folders:
            params["workspaceFolders"] = [{"uri": uri, "name": uri} for uri in self.folders]
        result: dict[str, Any] = (await self.answer(self.request("initialize", params)))["result"]
        self.notify("initialized", {})
        return result

    def open(self, text: str = "x = ", uri: str = URI) -> None:
        document = {"uri": uri, "languageId": "python", "version": 0, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})

    def inline(self, character: int = 4, uri: str = URI, line: int = 0, **context: Any) -> int:
        return self.request(
            "textDocument/inlineCompletion",
            {
                "textDocument": {"uri": uri},
                "position": {"line": line, "character": character},
                "context": {"triggerKind": 2, **context},
            },
        )

    async def items(self, id: int) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await self.answer(id))["result"]["items"]
        return items

    async def stop(self) -> None:
        self._writer.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._server_writer.close()
