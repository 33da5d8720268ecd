"""The workspace's own messages of LSP: notebooks, watched files, saves; each becomes a call of the service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final, Protocol

from lsprotocol import types

from lsp_server.documents import Document, Documents
from lsp_server.positions import Position
from lsp_server.pygls_adapter import DocumentServer
from lsp_server.settings import PROJECT_FILE
from lsp_server.text_store import TextView
from lsp_server.workspace.budgets import limits_of as limits_of
from lsp_server.workspace.notebook import Cell, around
from lsp_server.workspace.service import Workspace

NOTEBOOKS: Final = types.NotebookDocumentSyncOptions(
    notebook_selector=[types.NotebookDocumentFilterWithNotebook(notebook="*")]
)
"""All notebooks are followed, whatever their kind."""


class Host(Protocol):
    """The server, as far as these messages go."""

    documents: Documents
    surroundings: Workspace | None

    def document_opened(self, uri: str) -> None: ...

    def document_changed(self, uri: str) -> None: ...

    def document_closed(self, uri: str) -> None: ...

    async def configure(self) -> None: ...


def register(server: DocumentServer, host: Host) -> None:
    """Answer these messages."""

    async def changed(uris: list[str]) -> None:
        for uri in uris:
            if host.surroundings is not None:
                host.surroundings.file_changed(uri)
        if any(uri.endswith(f"/{PROJECT_FILE}") for uri in uris):
            await host.configure()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def watched(params: types.DidChangeWatchedFilesParams) -> None:
        await changed([change.uri for change in params.changes])

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved(params: types.DidSaveTextDocumentParams) -> None:
        await changed([params.text_document.uri])

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def notebook_opened(params: types.DidOpenNotebookDocumentParams) -> None:
        for cell in params.cell_text_documents:
            host.document_opened(cell.uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def notebook_closed(params: types.DidCloseNotebookDocumentParams) -> None:
        for cell in params.cell_text_documents:
            host.document_closed(cell.uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def notebook_changed(params: types.DidChangeNotebookDocumentParams) -> None:
        cells = params.change.cells
        structure = cells.structure if cells is not None else None
        for opened in (structure.did_open or ()) if structure is not None else ():
            host.document_opened(opened.uri)
        for closed in (structure.did_close or ()) if structure is not None else ():
            host.document_closed(closed.uri)
        for changed in (cells.text_content or ()) if cells is not None else ():
            document = host.documents.get(changed.document.uri)
            if document is not None and document.last_change is not None and len(changed.changes) > 1:
                # Applied one by one: the last alone does not tell what was done.
                document.last_change = replace(document.last_change, whole=True)
            host.document_changed(changed.document.uri)


def cells_around(server: DocumentServer, uri: str) -> tuple[str, str]:
    """The text of the cells above and below one of a notebook; "" and "" for any other document."""
    notebook = server.protocol.workspace.get_notebook_document(cell_uri=uri)
    if notebook is None:
        return "", ""
    return around(list(_cells(server.documents, notebook)), uri)


def _cells(documents: Documents, notebook: types.NotebookDocument) -> Iterator[Cell]:
    for cell in notebook.cells:
        document = documents.get(cell.document)
        if cell.kind == types.NotebookCellKind.Code and document is not None:
            yield Cell(cell.document, document.language_id, partial(str, document.text))


def frozen_text(document: Document) -> TextView:
    """The document's text as it is now, for another thread."""
    return document.snapshot(Position(0, 0)).text
