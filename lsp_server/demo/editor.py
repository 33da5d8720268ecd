"""An editor as the language server sees one: a document, keys, a request per key, each cancelled by the next."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

from lsp_server.demo.buffer import Buffer, Change

LOG_LINES: Final = 200
"""Messages of the server (`window/logMessage`) that are kept."""

STOP_TIMEOUT: Final = 10.0
"""Seconds the server has to leave after `shutdown` and `exit`."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Ghost text: what it says, who made it, and the milliseconds from the key press until it was there."""

    text: str
    source: str
    latency_ms: float
    item: types.InlineCompletionItem


class Editor:
    """One language client with one open document; cancelling the task of a request cancels it at the server."""

    def __init__(self, uri: str, language: str, buffer: Buffer) -> None:
        self.buffer = buffer
        self.state = ""
        self.logged: deque[str] = deque(maxlen=LOG_LINES)
        self._state_changed = asyncio.Event()
        self._uri = uri
        self._language = language
        self._version = 0
        self._requests = 0
        self._client = LanguageClient("foretype-demo", "1")

        # pygls marks the functions it registers, which bound methods do not allow.
        self._client.feature("foretype/status")(lambda params: self._on_status(params))
        self._client.feature(types.WINDOW_LOG_MESSAGE)(lambda params: self._on_log(params))

    def _on_status(self, params: Any) -> None:
        self.state = str(params.state)
        self._state_changed.set()

    def _on_log(self, params: types.LogMessageParams) -> None:
        self.logged.append(params.message)

    async def start(self, options: dict[str, Any] | None = None, environment: Mapping[str, str] | None = None) -> None:
        """Start the server on stdio with `environment` added to this process's, initialize it, open the document."""
        await self._client.start_io(
            sys.executable,
            "-m",
            "lsp_server",
            "--stdio",
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        await self._client.initialize_async(
            types.InitializeParams(
                process_id=None,
                root_uri=self._uri.rsplit("/", 1)[0],
                client_info=types.ClientInfo(name="foretype-demo", version="1"),
                initialization_options=options or {},
                capabilities=types.ClientCapabilities(
                    general=types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind.Utf32]),
                    text_document=types.TextDocumentClientCapabilities(
                        inline_completion=types.InlineCompletionClientCapabilities()
                    ),
                ),
            )
        )
        self._client.initialized(types.InitializedParams())
        self._client.text_document_did_open(
            types.DidOpenTextDocumentParams(
                types.TextDocumentItem(self._uri, self._language, self._version, self.buffer.text)
            )
        )

    async def until_state(self, state: str, seconds: float) -> bool:
        """Wait until the server reports `state`; whether it did within `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.state != state:
                    self._state_changed.clear()
                    await self._state_changed.wait()
        return self.state == state

    def press(self, key: str) -> asyncio.Task[Suggestion | None]:
        """Type `key` and ask for a suggestion; the task gives it, None if there is none."""
        self._report(lambda: self.buffer.press(key))
        return asyncio.create_task(self._ask())

    def accept(self, suggestion: Suggestion) -> asyncio.Task[Suggestion | None]:
        """Insert `suggestion`, run its command as editors do, and ask for the next one."""
        self._report(lambda: self.buffer.accept(suggestion.text))
        if suggestion.item.command is not None:
            self._client.workspace_execute_command(
                types.ExecuteCommandParams(suggestion.item.command.command, suggestion.item.command.arguments)
            )
        return asyncio.create_task(self._ask())

    def _report(self, edit: Callable[[], Change]) -> None:
        before = Buffer(self.buffer.text, self.buffer.cursor)
        change = edit()
        self._version += 1
        self._client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(self._version, self._uri),
                [
                    types.TextDocumentContentChangePartial(
                        range=types.Range(
                            types.Position(*before.position(change.start)), types.Position(*before.position(change.end))
                        ),
                        text=change.text,
                    )
                ],
            )
        )

    async def _ask(self) -> Suggestion | None:
        self._requests += 1
        began = time.monotonic()
        request = f"completion-{self._requests}"
        answer = self._client.protocol.send_request_async(
            types.TEXT_DOCUMENT_INLINE_COMPLETION,
            types.InlineCompletionParams(
                context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic),
                text_document=types.TextDocumentIdentifier(self._uri),
                position=types.Position(*self.buffer.position(self.buffer.cursor)),
            ),
            msg_id=request,
        )
        try:
            result = await asyncio.shield(answer)
        except asyncio.CancelledError:
            self._client.cancel_request(types.CancelParams(id=request))
            answer.add_done_callback(lambda done: done.cancelled() or done.exception())  # -32800 is expected
            raise
        except JsonRpcException:
            return None
        items = getattr(result, "items", result) or []
        if not items:
            return None
        item = items[0]
        told = item.command.arguments[0] if item.command and item.command.arguments else {}
        source = str(told.get("source", "") if isinstance(told, dict) else getattr(told, "source", ""))
        return Suggestion(item.insert_text, source, 1_000 * (time.monotonic() - began), item)

    async def stats(self) -> dict[str, int]:
        """What the server counted in this session (`foretype/stats`)."""
        answer = await self._client.protocol.send_request_async("foretype/stats")
        return {name: value for name, value in answer._asdict().items() if isinstance(value, int)}

    async def stop(self) -> None:
        """Close the document and end the server as an editor does."""
        self._client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(self._uri)))
        with contextlib.suppress(TimeoutError, JsonRpcException, RuntimeError):  # pygls raises it if the server is gone
            await asyncio.wait_for(self._client.shutdown_async(None), STOP_TIMEOUT)
        self._client.exit(None)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._client.stop(), STOP_TIMEOUT)  # type: ignore[no-untyped-call]  # pygls has no types here
