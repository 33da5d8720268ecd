"""The language server over JSON-RPC, as editors speak to it: one pair of sockets, a fake source behind it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from completion_fakes import FakeSource
from fake_client import URI, FakeClient

from lsp_server.settings import CompletionSettings, LocalSettings, Settings
from lsp_server.sources.base import SourceStatus
from lsp_server.sources.build import build_source

RANGE = {"start": {"line": 0, "character": 4}, "end": {"line": 0, "character": 4}}


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


async def test_a_client_in_copilots_style_is_told_the_state_in_its_own_way(client: FakeClient) -> None:
    await client.initialize()
    await client.notification("foretype/status")
    client.open()
    client.notify("textDocument/didFocus", {"textDocument": {"uri": URI}})
    assert (await client.notification("didChangeStatus"))["kind"] == "Normal"
    client.notifications.clear()
    client.source.states = [SourceStatus("local", "failed", "It is broken.")]
    client.server.tell_status()
    told = await client.notification("didChangeStatus")
    assert told == {"busy": False, "message": "It is broken.", "kind": "Error"}


async def test_who_never_spoke_in_that_style_is_not_sent_it(client: FakeClient) -> None:
    await client.initialize()
    await client.notification("foretype/status")
    await client.answer(client.request("foretype/status"))
    assert "didChangeStatus" not in [message["method"] for message in client.notifications]


async def test_who_asks_for_the_status_gets_each_source_and_the_memory_taken(client: FakeClient) -> None:
    await client.initialize()
    client.source.states = [
        SourceStatus("edge", "failed", "It is away."),
        SourceStatus("local", "ready", "Here.", first_token_ms=12.5, context_tokens=2_048),
    ]
    told = (await client.answer(client.request("foretype/status")))["result"]
    assert told["state"] == "local"
    assert told["sources"][1] == {
        "name": "local",
        "state": "ready",
        "detail": "Here.",
        "firstTokenMs": 12.5,
        "contextTokens": 2_048,
    }
    assert told["sources"][0]["contextTokens"] is None
    assert told["memoryBytes"]["server"] > 10_000_000
    assert told["memoryBytes"]["localWorker"] is None


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
