"""JSON messages in, as an editor sends them; the documents, and what is answered, out."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from lsprotocol import types
from pygls.workspace import TextDocument

from lsp_server.documents import Documents, State
from lsp_server.positions import Position, PositionEncoding
from lsp_server.pygls_adapter import DocumentServer, position_from_lsp, position_to_lsp

URI = "file:///project/a.py"


class FakeEditor:
    """Speaks JSON-RPC to a server in this process and keeps what it answers."""

    def __init__(
        self,
        encodings: list[str] | None = None,
        on_initialize: Callable[[DocumentServer, types.InitializeParams], None] | None = None,
        **options: Any,
    ) -> None:
        self.server = DocumentServer("test", "1", Documents(lambda: 1.0), **options)
        if on_initialize is not None:
            self.server.feature(types.INITIALIZE)(on_initialize)
        self.received: list[dict[str, Any]] = []
        self.server.protocol.set_writer(self, include_headers=False)
        general = {} if encodings is None else {"general": {"positionEncodings": encodings}}
        notebooks: dict[str, Any] = {"notebookDocument": {"synchronization": {}}}
        params = {"processId": None, "rootUri": None, "capabilities": {**general, **notebooks}}
        self.send("initialize", params, request=1)
        self.capabilities = self.received.pop()["result"]["capabilities"]

    def write(self, data: bytes) -> None:
        self.received.append(json.loads(data))

    def close(self) -> None:
        """Nothing to close."""

    def send(self, method: str, params: dict[str, Any], request: int | None = None) -> None:
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params}
        if request is not None:
            message["id"] = request
        protocol = self.server.protocol
        protocol.handle_message(json.loads(json.dumps(message), object_hook=protocol.structure_message))

    def open(self, text: str) -> None:
        item = {"uri": URI, "languageId": "python", "version": 1, "text": text}
        self.send("textDocument/didOpen", {"textDocument": item})

    def change(self, version: int, *changes: dict[str, Any]) -> None:
        identifier = {"uri": URI, "version": version}
        params = {"textDocument": identifier, "contentChanges": list(changes)}
        self.send("textDocument/didChange", params)

    @property
    def text(self) -> str:
        document = self.server.documents.get(URI)
        assert document is not None
        return str(document.text)


def at(line: int, start: int, end: int, text: str) -> dict[str, Any]:
    place = {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}
    return {"range": place, "text": text}


@pytest.mark.parametrize(
    ("encodings", "chosen"),
    [
        (None, "utf-16"),
        (["utf-16"], "utf-16"),
        (["utf-8", "utf-16", "utf-32"], "utf-8"),
        (["utf-32", "utf-8"], "utf-32"),
        (["utf-7"], "utf-16"),
    ],
)
def test_the_position_encoding_is_the_first_the_editor_lists_that_we_know(
    encodings: list[str] | None, chosen: str
) -> None:
    editor = FakeEditor(encodings)
    assert editor.capabilities["positionEncoding"] == chosen
    assert editor.server.documents.encoding is PositionEncoding(chosen)


def test_incremental_changes_are_announced() -> None:
    sync = FakeEditor().capabilities["textDocumentSync"]
    assert (sync["openClose"], sync["change"]) == (True, types.TextDocumentSyncKind.Incremental.value)


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 5), ("utf-16", 3), ("utf-32", 2)])
def test_a_change_is_applied_in_the_units_of_the_editor(encoding: str, column: int) -> None:
    editor = FakeEditor([encoding])
    editor.open("x😋\n")
    editor.change(2, at(0, column, column, "y"))
    assert editor.text == "x😋y\n"


def test_a_whole_text_without_range_replaces_the_document() -> None:
    editor = FakeEditor()
    editor.open("old\n")
    editor.change(2, {"text": "new\n"})
    assert editor.text == "new\n"


def test_changes_of_one_message_arrive_as_one_change() -> None:
    editor = FakeEditor()
    editor.open("a\nb\n")
    editor.change(2, at(1, 1, 1, ")"), at(0, 1, 1, "("))
    document = editor.server.documents.get(URI)
    assert document is not None
    assert document.last_change is not None
    assert (len(document.last_change.edits), document.last_change.single) == (2, False)


def test_a_handler_of_did_change_sees_the_text_already_changed() -> None:
    editor = FakeEditor()
    seen = []

    @editor.server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        seen.append((params.text_document.version, editor.text))

    editor.open("a")
    editor.change(2, at(0, 1, 1, "b"))
    assert seen == [(2, "ab")]


def test_a_handler_of_initialize_finds_the_workspace() -> None:
    seen = []

    def note(ls: DocumentServer, params: types.InitializeParams) -> None:
        seen.append(ls.workspace.position_encoding)

    FakeEditor(["utf-8"], on_initialize=note)
    assert seen == [types.PositionEncodingKind.Utf8]


def test_a_bad_range_is_one_sentence_in_the_log_and_nothing_on_the_screen(
    caplog: pytest.LogCaptureFixture,
) -> None:
    editor = FakeEditor()
    editor.open("one\ntwo\n")
    bad = {"start": {"line": 1, "character": 0}, "end": {"line": 0, "character": 0}}
    with caplog.at_level(logging.WARNING):
        editor.change(2, {"range": bad, "text": "x"})
        editor.change(3, at(0, 0, 0, "x"))
    assert [(record.levelname, record.exc_info) for record in caplog.records] == [("WARNING", None)]
    assert caplog.messages[0].startswith(f"{URI}, version 2: The range ends at 0:0, before its start 1:0.")
    assert editor.received == []
    document = editor.server.documents.get(URI)
    assert document is not None
    assert document.state is State.OUT_OF_SYNC


def test_a_change_of_an_unopened_document_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    editor = FakeEditor()
    with caplog.at_level(logging.WARNING):
        editor.change(2, at(0, 0, 0, "x"))
        editor.change(3, at(0, 0, 0, "x"))
    assert caplog.messages == [f"{URI} changed but was never opened: no suggestions in it until it is reopened."]
    assert editor.received == []


def test_half_a_surrogate_pair_in_a_message_is_no_error() -> None:
    editor = FakeEditor()
    editor.open("ab")
    editor.change(2, at(0, 1, 1, "\ud83d"))
    editor.change(3, at(0, 2, 2, "\ude0b"))
    document = editor.server.documents.get(URI)
    assert document is not None
    assert document.snapshot(Position(0, 3)).before(lines=1, characters=9) == "a😋"


def test_closing_a_document_forgets_it() -> None:
    editor = FakeEditor()
    editor.open("a")
    editor.send("textDocument/didClose", {"textDocument": {"uri": URI}})
    assert editor.server.documents.get(URI) is None


def test_the_pygls_text_documents_are_never_split_on_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(document: TextDocument) -> None:
        raise AssertionError(f"pygls split {document.uri}")

    monkeypatch.setattr(TextDocument, "lines", property(refuse))
    monkeypatch.setattr(TextDocument, "source", property(refuse))
    editor = FakeEditor()
    editor.open("a\n")
    editor.change(2, at(0, 1, 1, "b"))
    assert (editor.text, editor.received) == ("ab\n", [])


def test_pygls_helpers_see_the_same_document_with_lsp_lines_only() -> None:
    editor = FakeEditor()
    editor.open("a\fb\r\nword 😋\n")
    view = editor.server.workspace.get_text_document(URI)
    editor.change(2, at(0, 0, 0, "x"))
    assert (list(view.lines), view.source) == (["a\fb\r\n", "word 😋\n"], "a\fb\r\nword 😋\n")
    assert view.word_at_position(types.Position(1, 2)) == "word"
    assert list(editor.server.workspace.text_documents) == [URI]
    with pytest.raises(TypeError, match="is a view"):
        view.apply_change(types.TextDocumentContentChangeWholeDocument("x"))


def test_the_cells_of_a_notebook_are_documents() -> None:
    selector = types.NotebookDocumentFilterWithCells(cells=[types.NotebookCellLanguage(language="python")])
    sync = types.NotebookDocumentSyncOptions(notebook_selector=[selector])
    editor = FakeEditor(notebook_document_sync=sync)
    notebook = {"uri": "file:///n.ipynb", "notebookType": "jupyter-notebook", "version": 1}
    cell = {"kind": 2, "document": URI}
    item = {"uri": URI, "languageId": "python", "version": 1, "text": "a"}
    editor.send(
        "notebookDocument/didOpen",
        {"notebookDocument": {**notebook, "cells": [cell]}, "cellTextDocuments": [item]},
    )
    content = [{"document": {"uri": URI, "version": 2}, "changes": [at(0, 1, 1, "b")]}]
    changed = {"notebookDocument": {"uri": "file:///n.ipynb", "version": 2}}
    editor.send("notebookDocument/didChange", {**changed, "change": {"cells": {"textContent": content}}})
    assert editor.text == "ab"
    found = editor.server.workspace.get_notebook_document(cell_uri=URI)
    assert found is not None
    assert found.uri == "file:///n.ipynb"

    closed = {"notebookDocument": {"uri": "file:///n.ipynb"}, "cellTextDocuments": [{"uri": URI}]}
    editor.send("notebookDocument/didClose", closed)
    assert editor.server.documents.get(URI) is None


def test_positions_go_to_lsp_and_back() -> None:
    assert position_from_lsp(position_to_lsp(Position(3, 4))) == Position(3, 4)


def test_nothing_is_kept_of_notifications_that_were_handled() -> None:
    editor = FakeEditor()

    @editor.server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: types.DidChangeTextDocumentParams) -> None:
        """A handler of our own, in a task."""

    async def typed() -> None:
        editor.open("")
        for version in range(2, 50):
            editor.change(version, at(0, 0, 0, "x"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(typed())
    assert (len(editor.text), editor.server.protocol._request_futures) == (48, {})


def test_a_cancel_that_crossed_the_answer_is_nothing_to_warn_of(caplog: pytest.LogCaptureFixture) -> None:
    editor = FakeEditor()
    editor.send("$/cancelRequest", {"id": 1})
    assert caplog.messages == []
