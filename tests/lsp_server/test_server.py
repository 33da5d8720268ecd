"""The language server over JSON-RPC, as editors speak to it: one pair of sockets, a fake source behind it."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from completion_fakes import FakeSource

from lsp_server.serve import serve
from lsp_server.server import ForetypeServer
from lsp_server.settings import CompletionSettings, Loaded, LocalSettings, Settings
from lsp_server.sources.base import SourceStatus
from lsp_server.sources.build import build_source

URI = "file:///w/a.py"
RANGE = {"start": {"line": 0, "character": 4}, "end": {"line": 0, "character": 4}}


class FakeClient:
    """Sends messages and keeps what comes back."""

    def __init__(self, source: FakeSource, settings: Settings | None = None) -> None:
        self.source = source
        self.settings = settings or Settings()
        self.problems: tuple[Any, ...] = ()
        self.loaded_with: list[dict[str, Any]] = []
        self.server = ForetypeServer(lambda settings: source, self._load)
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
                self._send({"id": message["id"], "result": [{"languages": ["go"]}]})
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
        params = {
            "processId": None,
            "rootUri": "file:///w",
            "clientInfo": {"name": name},
            "capabilities": capabilities or {},
            "initializationOptions": {"edge": {"urls": []}},
        }
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


@pytest.fixture(autouse=True)
def _state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FORETYPE_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
async def client() -> AsyncIterator[FakeClient]:
    made = FakeClient(FakeSource(lambda context: "value\nmore\n", latency_s=0.0))
    yield made
    await made.stop()


async def test_inline_completion_is_advertised_to_every_editor(client: FakeClient) -> None:
    capabilities = (await client.initialize())["capabilities"]
    assert capabilities["inlineCompletionProvider"] == {"workDoneProgress": False}
    assert "foretype.accepted" in capabilities["executeCommandProvider"]["commands"]
    assert "completionProvider" not in capabilities


async def test_a_suggestion_is_an_insertion_at_the_cursor_with_a_command_that_says_whence(client: FakeClient) -> None:
    await client.initialize()
    client.open()
    (item,) = await client.items(client.inline())
    assert (item["insertText"], item["range"]) == ("value", RANGE)
    argument = item["command"]["arguments"][0]
    assert item["command"]["command"] == "foretype.accepted"
    assert (argument["source"], set(argument)) == ("local", {"id", "source", "latencyMs"})


async def test_an_accepted_item_is_counted(client: FakeClient) -> None:
    await client.initialize()
    client.open()
    (item,) = await client.items(client.inline())
    command = item["command"]
    answer = await client.answer(
        client.request("workspace/executeCommand", {"command": command["command"], "arguments": command["arguments"]})
    )
    assert "error" not in answer
    stats = (await client.answer(client.request("foretype/stats")))["result"]
    assert (stats["accepted"], stats["accepted_characters"], stats["requests"]) == (1, 5, 1)


async def test_a_part_that_was_accepted_is_counted(client: FakeClient) -> None:
    await client.initialize()
    client.open()
    (item,) = await client.items(client.inline())
    client.notify("textDocument/didShowCompletion", {"item": item})
    client.notify("textDocument/didPartiallyAcceptCompletion", {"item": item, "acceptedLength": 3})
    stats = (await client.answer(client.request("foretype/stats")))["result"]
    assert (stats["accepted_partly"], stats["accepted_characters"]) == (1, 3)


async def test_an_ide_that_ignores_commands_gets_none(client: FakeClient) -> None:
    await client.initialize("IntelliJ IDEA 2026.2")
    client.open()
    (item,) = await client.items(client.inline())
    assert item.get("command") is None


async def test_the_item_selected_in_the_menu_is_completed_in_its_range(client: FakeClient) -> None:
    await client.initialize()
    client.open("x = pa")
    span = {"start": {"line": 0, "character": 4}, "end": {"line": 0, "character": 6}}
    (item,) = await client.items(client.inline(6, selectedCompletionInfo={"range": span, "text": "path"}))
    assert (item["insertText"], item["range"]) == ("pathvalue", span)
    assert client.source.requests[0].context.typed == "x = path"


async def test_an_overtaken_request_is_answered_null_and_the_newer_one_with_a_suggestion(client: FakeClient) -> None:
    client.source.latency_s = 0.05
    await client.initialize()
    client.open()
    first, second = client.inline(), client.inline()
    assert (await client.answer(first))["result"] is None
    assert len(await client.items(second)) == 1


async def test_a_cancelled_request_is_an_error_of_its_own_kind_and_answered_once(client: FakeClient) -> None:
    client.source.latency_s = 0.05
    await client.initialize()
    client.open()
    first = client.inline()
    client.notify("$/cancelRequest", {"id": first})
    assert (await client.answer(first))["error"]["code"] == -32800
    assert len(await client.items(client.inline())) == 1
    assert len(client.answers[first]) == 1
    asked = [request for request in client.source.requests if request.kind != "prefetch"]
    assert len(asked) <= 1 + (client.source.cancelled == [])


async def test_typed_text_and_edits_reach_the_source(client: FakeClient) -> None:
    await client.initialize()
    client.open()
    change = {"range": RANGE, "text": "foo."}
    client.notify("textDocument/didChange", {"textDocument": {"uri": URI, "version": 1}, "contentChanges": [change]})
    await client.items(client.inline(8))
    assert client.source.requests[0].context.typed == "x = foo."


@pytest.mark.parametrize(
    ("text", "uri", "line", "word"),
    [
        ("x = \0", URI, 0, "binary"),
        ("x = 1\n" * 900_000, URI, 0, "characters"),
        (None, "file:///w/never.py", 0, "not open"),
        ("A=1", "file:///w/.env", 0, "secrets"),
    ],
    ids=["binary", "large", "unknown", "secrets"],
)
async def test_what_cannot_be_completed_is_one_sentence_and_an_empty_answer(
    client: FakeClient,
    caplog: pytest.LogCaptureFixture,
    text: str | None,
    uri: str,
    line: int,
    word: str,
) -> None:
    await client.initialize()
    if text is not None:
        client.open(text, uri)
    with caplog.at_level(logging.WARNING, "lsp_server"):
        assert await client.items(client.inline(0, uri, line)) == []
        assert await client.items(client.inline(0, uri, line)) == []
    assert word in (await client.notification("window/logMessage"))["message"]
    client.open("y = ", "file:///w/b.py")
    assert len(await client.items(client.inline(4, "file:///w/b.py"))) == 1


async def test_a_position_past_the_end_is_the_end(client: FakeClient) -> None:
    await client.initialize()
    client.open()
    (item,) = await client.items(client.inline(99, line=7))
    assert item["range"] == RANGE


async def test_an_unsaved_buffer_gets_suggestions(client: FakeClient) -> None:
    await client.initialize()
    client.open("x = ", "untitled:Untitled-1")
    assert len(await client.items(client.inline(4, "untitled:Untitled-1"))) == 1
    assert client.source.requests[0].context.path == "Untitled-1"


async def test_a_source_that_fails_is_an_empty_answer(client: FakeClient) -> None:
    client.source.unavailable = "The edge cannot be reached."
    await client.initialize()
    client.open()
    assert await client.items(client.inline()) == []


async def test_the_state_is_told_when_it_changes(client: FakeClient) -> None:
    await client.initialize()
    assert (await client.notification("foretype/status"))["state"] == "local"
    client.notifications.clear()
    client.source.states = [SourceStatus("edge", "ready"), SourceStatus("local", "ready")]
    client.server.tell_status()
    assert (await client.notification("foretype/status"))["state"] == "online"


async def test_the_editors_configuration_is_asked_for_and_read(client: FakeClient) -> None:
    await client.initialize(capabilities={"workspace": {"configuration": True}})
    await client.notification("workspace/configuration")
    while len(client.loaded_with) < 2:
        await client.answer(client.request("foretype/stats"))
    assert client.loaded_with[0]["initialization"] == {"edge": {"urls": []}}
    assert client.loaded_with[0]["workspace"] is None
    assert client.loaded_with[1]["workspace"] == {"languages": ["go"]}


async def test_pushed_configuration_holds_from_then_on(client: FakeClient) -> None:
    await client.initialize()
    client.open()
    client.settings = Settings(enabled=False)
    client.notify("workspace/didChangeConfiguration", {"settings": {"foretype": {"enabled": False}}})
    while client.loaded_with[-1]["workspace"] is None:
        await client.answer(client.request("foretype/stats"))
    assert client.loaded_with[-1]["workspace"] == {"enabled": False}
    assert await client.items(client.inline()) == []


async def test_switching_off_lets_the_sources_go(client: FakeClient) -> None:
    await client.initialize()
    client.settings = Settings(enabled=False)
    client.notify("workspace/didChangeConfiguration", {"settings": None})
    while not client.source.closed:
        await client.answer(client.request("foretype/stats"))
    assert build_source(client.settings).statuses() == []


async def test_other_sources_in_the_settings_replace_those_that_run(client: FakeClient) -> None:
    await client.initialize()
    client.settings = Settings(local=LocalSettings(model="other"))
    client.notify("workspace/didChangeConfiguration", {"settings": None})
    while not client.source.closed:
        await client.answer(client.request("foretype/stats"))
    assert client.source.started


async def test_problems_in_the_settings_are_told_once(client: FakeClient) -> None:
    client.problems = ("config.toml:1: `debounce_ms` must be a number.",)
    await client.initialize()
    assert (await client.notification("window/logMessage"))["message"] == client.problems[0]


async def test_the_completion_menu_is_answered_only_where_it_is_wanted() -> None:
    settings = Settings(completion=CompletionSettings(enabled=True))
    client = FakeClient(FakeSource(lambda context: "lue\n", latency_s=0.0), settings)
    try:
        assert "completionProvider" in (await client.initialize())["capabilities"]
        client.open("x = va")
        params = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 6}}
        answer = await client.answer(client.request("textDocument/completion", params))
        (item,) = answer["result"]["items"]
        assert (item["label"], item["textEdit"]["newText"]) == ("value", "value")
        assert item["textEdit"]["range"]["start"] == {"line": 0, "character": 4}
    finally:
        await client.stop()


async def test_shutdown_closes_the_sources(client: FakeClient) -> None:
    await client.initialize()
    client.open()
    await client.items(client.inline())
    assert (await client.answer(client.request("shutdown")))["result"] is None
    assert client.source.closed


async def test_a_closed_document_is_forgotten(client: FakeClient) -> None:
    await client.initialize()
    client.open()
    await client.items(client.inline())
    client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    assert await client.items(client.inline()) == []
    assert client.source.forgotten == [client.source.requests[0].doc]
    assert URI not in client.source.requests[0].doc


async def test_a_request_that_makes_no_sense_is_answered_with_an_error(client: FakeClient) -> None:
    await client.initialize()
    client.open()
    error = (await client.answer(client.inline(0, line=-1)))["error"]
    assert error["code"] == -32602
    assert "textDocument/inlineCompletion" in error["message"]
    assert len(await client.items(client.inline())) == 1
