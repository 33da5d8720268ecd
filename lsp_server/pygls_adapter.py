"""pygls with Foretype's documents in place of its own, which rebuild the whole text on every change.

pygls offers no parameter for this, so three of its classes are extended, none is patched: the server is given
a protocol, the protocol a workspace, the workspace the documents. The position encoding is the first that the
client lists and we know, which is pygls's own choice (the unit is the client's to prefer: ASCII lines cost the
same in all three); the changes are announced as incremental.

    server = DocumentServer("foretype", "1.0", Documents(time.monotonic))

    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions(work_done_progress=False))
    async def complete(params: types.InlineCompletionParams) -> types.InlineCompletionList:
        document = server.documents.get(params.text_document.uri)
        snapshot = document.snapshot(position_from_lsp(params.position))
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Generator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types
from pygls.capabilities import ServerCapabilitiesBuilder
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method
from pygls.uris import from_fs_path
from pygls.workspace import PositionCodec, TextDocument, Workspace

from lsp_server import first_messages
from lsp_server.documents import ContentChange, Document, Documents, UnknownDocumentError
from lsp_server.positions import Position, PositionEncoding, Range
from lsp_server.text_store import InvalidRangeError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from cattrs import Converter
    from pygls.protocol.json_rpc import MessageCallback, MessageHandler, MsgId

logger = logging.getLogger(__name__)

CONVERT_S: Final = 0.05
"""Seconds after `initialize` at which what converts the messages of a key is made: while editors open documents."""


def position_from_lsp(position: types.Position) -> Position:
    """The document store's position for LSP's."""
    return Position(position.line, position.character)


def position_to_lsp(position: Position) -> types.Position:
    """LSP's position for the document store's."""
    return types.Position(position.line, position.character)


def change_from_lsp(change: types.TextDocumentContentChangeEvent) -> ContentChange:
    """The document store's change for LSP's."""
    if isinstance(change, types.TextDocumentContentChangePartial):
        span = Range(position_from_lsp(change.range.start), position_from_lsp(change.range.end))
        return ContentChange(change.text, span)
    return ContentChange(change.text)


class StoredTextDocument(TextDocument):
    """What pygls's own helpers see of a document: made when they ask, reading only, joined only when read."""

    def __init__(self, document: Document, codec: PositionCodec) -> None:
        super().__init__(document.uri, version=document.version, language_id=document.language_id, position_codec=codec)
        self._text = document.snapshot(Position(0, 0)).text

    @property
    def source(self) -> str:
        """The whole text."""
        return str(self._text)

    @property
    def lines(self) -> Sequence[str]:
        """The lines with their endings, LSP's only; no empty one after the last ending, as in pygls's own."""
        text = self._text
        starts = [text.line_offset(number) for number in range(text.line_count + 1)]
        return tuple(text.slice(start, end) for start, end in pairwise(starts) if start < end)

    def apply_change(self, change: types.TextDocumentContentChangeEvent) -> None:
        """Not here: changes go to `Documents.change`, so this raises TypeError."""
        raise TypeError(f"{self.uri} is a view of a stored document and can't be changed.")


class StoredWorkspace(Workspace):
    """pygls's workspace, its text documents kept by `Documents`."""

    def __init__(
        self,
        root_uri: str | None,
        folders: Sequence[types.WorkspaceFolder],
        documents: Documents,
    ) -> None:
        encoding = types.PositionEncodingKind(documents.encoding.value)
        super().__init__(root_uri, types.TextDocumentSyncKind.Incremental, folders, encoding)
        self._stored = documents

    @property
    def text_documents(self) -> dict[str, TextDocument]:
        """A view of each open document, by URI."""
        return {document.uri: StoredTextDocument(document, self.position_codec) for document in self._stored}

    def get_text_document(self, doc_uri: str) -> TextDocument:
        """A view of the open document; for one that is not open, pygls's own that reads the file."""
        document = self._stored.get(doc_uri)
        if document is None:
            return super().get_text_document(doc_uri)
        return StoredTextDocument(document, self.position_codec)

    def put_text_document(self, text_document: types.TextDocumentItem, notebook_uri: str | None = None) -> None:
        """Open a document, perhaps a notebook's cell."""
        item = text_document
        self._stored.open(item.uri, str(item.language_id), item.version, item.text)
        if notebook_uri is not None:
            # pygls notes which notebook the cell is in; it gets no text to keep.
            bare = types.TextDocumentItem(item.uri, item.language_id, item.version, "")
            super().put_text_document(bare, notebook_uri)

    def remove_text_document(self, doc_uri: str) -> None:
        """Close a document."""
        self._stored.close(doc_uri)
        super().remove_text_document(doc_uri)

    def update_text_document(
        self,
        text_doc: types.VersionedTextDocumentIdentifier,
        change: types.TextDocumentContentChangeEvent,
    ) -> None:
        """Apply one change (pygls calls this for the cells of a notebook)."""
        self.change_text_document(text_doc, [change])

    def change_text_document(
        self,
        text_doc: types.VersionedTextDocumentIdentifier,
        changes: Sequence[types.TextDocumentContentChangeEvent],
    ) -> None:
        """Apply the changes of one `didChange`. One that does not fit is logged as a sentence, not raised: the
        editor can do nothing about it, and would show a box for each key."""
        try:
            self._stored.change(text_doc.uri, text_doc.version, [change_from_lsp(change) for change in changes])
        except (InvalidRangeError, UnknownDocumentError) as error:
            logger.warning("%s", error)


class StoredProtocol(LanguageServerProtocol):
    """pygls's protocol with a `StoredWorkspace`."""

    _server: DocumentServer

    def __init__(self, server: DocumentServer, converter: Converter) -> None:
        self._stored_workspace: StoredWorkspace | None = None
        super().__init__(server, converter)

    @property
    def workspace(self) -> StoredWorkspace:
        """The workspace. Raises RuntimeError before `initialize`."""
        if self._stored_workspace is None:
            raise RuntimeError("The workspace is not there before the client has sent `initialize`.")
        return self._stored_workspace

    def _execute_handler(
        self,
        msg_id: MsgId,
        handler: MessageHandler,
        callback: MessageCallback,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        """As pygls does it. pygls 2 keeps what a notification's handler returned for ever: 2 KB for each key."""

        def done(future: Future[Any]) -> None:
            self._request_futures.pop(msg_id, None)
            callback(future)

        super()._execute_handler(msg_id, handler, done, args, kwargs)

    def _handle_cancel_notification(self, msg_id: MsgId) -> None:
        """As pygls does it, without its warning where the answer crossed the cancel on the way, as LSP allows."""
        if msg_id in self._request_futures:
            super()._handle_cancel_notification(msg_id)

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        """Make the workspace, then do as pygls does."""
        chosen = ServerCapabilitiesBuilder.choose_position_encoding(params.capabilities)
        documents = self._server.documents
        documents.encoding = PositionEncoding(chosen)
        root_uri = params.root_uri
        if root_uri is None and params.root_path is not None:
            root_uri = from_fs_path(params.root_path)
        self._stored_workspace = StoredWorkspace(root_uri, params.workspace_folders or [], documents)
        result = yield from super().lsp_initialize(params)
        with contextlib.suppress(RuntimeError):  # without a loop there are no keys to be ready for
            # The answer to `initialize` goes first.
            asyncio.get_running_loop().call_later(
                CONVERT_S, first_messages.convert, self.structure_message, self._converter.unstructure
            )
        return result

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> Generator[Any, Any, None]:
        """Apply all changes as one, so that typing can be told from edits in several places."""
        self.workspace.change_text_document(params.text_document, params.content_changes)
        handler = self.fm.features.get(types.TEXT_DOCUMENT_DID_CHANGE)
        if handler is not None:
            yield handler, (params,), None


class DocumentServer(LanguageServer):
    """A pygls server whose open documents are in `documents`; features, commands and I/O are pygls's."""

    protocol: StoredProtocol

    def __init__(self, name: str, version: str, documents: Documents, **options: Any) -> None:
        self.documents = documents
        super().__init__(
            name,
            version,
            types.TextDocumentSyncKind.Incremental,
            protocol_cls=StoredProtocol,
            **options,
        )
