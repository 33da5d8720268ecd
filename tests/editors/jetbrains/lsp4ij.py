"""LSP4IJ's inline completion, replayed: the messages it sends, when it sends them, and what it makes of an answer.

As of LSP4IJ 0.20 (`LSPInlineCompletionProvider`, `LSPInlineCompletionSupport`): positions in utf-16, 300 ms of quiet,
trigger kind always automatic, `command` and `filterText` ignored, blank texts dropped, ranges by its own rules. Like
the IDE's own document the buffer holds \\n only, whatever the file's line ends. Only the first item is replayed; the
IDE offers the others in turn.
"""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

DEBOUNCE_S: Final = 0.3
IDE: Final = types.ClientInfo(name="IntelliJ IDEA", version="2026.1")
"""`ApplicationNamesInfo.getFullProductName`, as LSP4IJ introduces itself."""


@dataclass(frozen=True, slots=True)
class Ghost:
    """What the IDE would draw: `skipped` characters of the document stay where they are, then `text` in grey."""

    skipped: int
    text: str


def units(text: str) -> int:
    """Length in utf-16 code units, the characters of Java and Kotlin."""
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, start: int, end: int | None = None) -> str:
    """`text[start:end]`, counted in utf-16 code units."""
    data = text.encode("utf-16-le")
    return data[2 * start : None if end is None else 2 * end].decode("utf-16-le", "surrogatepass")


def ghost(item: types.InlineCompletionItem, document: str, cursor: int) -> Ghost | None:
    """What LSP4IJ shows of `item` with the cursor at `cursor` utf-16 units; None for a blank text.

    A range that starts before the cursor takes that many characters from the front of the text; one that ends behind
    it keeps what stands there, before the grey text.
    """
    text = item.insert_text if isinstance(item.insert_text, str) else item.insert_text.value
    if not text.strip():
        return None
    skipped = 0
    if item.range is not None:
        start, end = (offset_of(document, position) for position in (item.range.start, item.range.end))
        if start < cursor <= end and cursor - start < units(text):
            text = cut(text, cursor - start)
        skipped = max(0, end - cursor)
    return Ghost(skipped, text)


def offset_of(document: str, position: types.Position) -> int:
    """Offset, in utf-16 units, of a position in utf-16."""
    lines = document.split("\n")
    return sum(units(line) + 1 for line in lines[: position.line]) + position.character


class Ide:
    """One open file in one IDE. The cursor and all offsets are in utf-16 units."""

    def __init__(self, path: Path, language: str, text: str, cursor: int) -> None:
        self.text = text.replace("\r\n", "\n")
        self.cursor = cursor
        self.shown: Ghost | None = None
        self.received: list[types.InlineCompletionItem] = []
        self._uri = path.as_uri()
        self._language = language
        self._version = 0
        self.requests = 0
        self._asking: asyncio.Task[None] | None = None
        self._settings: Mapping[str, Any] = {}
        self._client = LanguageClient("lsp4ij-replay", "1")
        self._client.feature(types.WORKSPACE_CONFIGURATION)(lambda params: self._configuration(params))

    def _configuration(self, params: types.ConfigurationParams) -> list[Any]:
        return [self._settings.get(item.section or "") for item in params.items]

    async def start(
        self, command: str, options: dict[str, Any], settings: Mapping[str, Any], environment: Mapping[str, str]
    ) -> None:
        """Run the template's command, with its initialization options and its settings, and open the file."""
        self._settings = settings
        await self._client.start_io(*shlex.split(command), env={**os.environ, **environment})
        await self._client.initialize_async(
            types.InitializeParams(
                process_id=os.getpid(),
                root_uri=self._uri.rsplit("/", 1)[0],
                client_info=IDE,
                initialization_options=options,
                capabilities=types.ClientCapabilities(
                    general=types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind.Utf16]),
                    workspace=types.WorkspaceClientCapabilities(configuration=True),
                    text_document=types.TextDocumentClientCapabilities(
                        inline_completion=types.InlineCompletionClientCapabilities()
                    ),
                ),
            )
        )
        self._client.initialized(types.InitializedParams())
        self._client.text_document_did_open(
            types.DidOpenTextDocumentParams(types.TextDocumentItem(self._uri, self._language, 0, self.text))
        )

    def type(self, key: str) -> None:
        """One key: the change is sent, what is shown goes, the request before is cancelled."""
        self._insert(key)

    async def pause(self) -> Ghost | None:
        """The person pauses for longer than the quiet time: one request, and what is then shown."""
        await asyncio.sleep(DEBOUNCE_S)  # the IDE's own quiet time, part of what is replayed
        self._asking = asyncio.create_task(self._ask())
        await self._asking
        return self.shown

    def tab(self) -> str:
        """Accept what is shown; the text that came into the document. No command is run, nothing is reported."""
        assert self.shown is not None
        accepted, self.shown = self.shown, None
        self.cursor += accepted.skipped
        self._insert(accepted.text)
        return accepted.text

    def _insert(self, text: str) -> None:
        assert "\r" not in text, "the IDE throws on a carriage return in a document"
        self.shown = None
        if self._asking is not None and not self._asking.done():
            self._asking.cancel()
        before = cut(self.text, 0, self.cursor)
        here = types.Position(before.count("\n"), units(before.rpartition("\n")[2]))
        self.text = before + text + cut(self.text, self.cursor)
        self.cursor += units(text)
        self._version += 1
        self._client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(self._version, self._uri),
                [types.TextDocumentContentChangePartial(range=types.Range(here, here), text=text)],
            )
        )

    async def _ask(self) -> None:
        self.requests += 1
        request = f"inline-{self.requests}"
        before = cut(self.text, 0, self.cursor)
        answer = self._client.protocol.send_request_async(
            types.TEXT_DOCUMENT_INLINE_COMPLETION,
            types.InlineCompletionParams(
                context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic),
                text_document=types.TextDocumentIdentifier(self._uri),
                position=types.Position(before.count("\n"), units(before.rpartition("\n")[2])),
            ),
            msg_id=request,
        )
        try:
            result = await asyncio.shield(answer)
        except asyncio.CancelledError:
            self._client.cancel_request(types.CancelParams(id=request))
            answer.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise
        except JsonRpcException:
            return
        items = getattr(result, "items", result) or []
        self.received += items
        self.shown = ghost(items[0], self.text, self.cursor) if items else None

    async def stats(self) -> dict[str, int]:
        """What the server counted in this session (`foretype/stats`)."""
        answer = await self._client.protocol.send_request_async("foretype/stats")
        return {name: value for name, value in answer._asdict().items() if isinstance(value, int)}

    async def stop(self) -> None:
        """Close the file and end the server."""
        self._client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(self._uri)))
        await asyncio.wait_for(self._client.shutdown_async(None), 10)
        self._client.exit(None)
        await asyncio.wait_for(self._client.stop(), 10)
