"""The converters of what comes with each key are made before the first key."""

from __future__ import annotations

import time

from lsprotocol import types

from lsp_server import first_messages
from lsp_server.documents import Documents
from lsp_server.pygls_adapter import DocumentServer


def test_what_a_key_sends_and_gets_is_converted_beforehand() -> None:
    protocol = DocumentServer("foretype", "1.0", Documents(time.monotonic)).protocol
    structured = []
    unstructured = []

    def structure(message: dict[str, object]) -> object:
        structured.append(protocol.structure_message(message))
        return structured[-1]

    def unstructure(message: object) -> object:
        unstructured.append(protocol._converter.unstructure(message))
        return unstructured[-1]

    first_messages.convert(structure, unstructure)
    assert [type(message) for message in structured] == [
        types.DidChangeTextDocumentNotification,
        types.InlineCompletionRequest,
        types.CancelNotification,
    ]
    assert unstructured[0]["result"]["items"][0]["insertText"] == "x"
