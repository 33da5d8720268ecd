"""The language server: LSP messages in, calls of the completer, LSP messages out; nothing is decided here."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from lsprotocol import types

from lsp_server import syntax
from lsp_server.cache import Cache
from lsp_server.client_log import ClientLog
from lsp_server.completer import Ask, Completer, Outcome, Selected, Suggested, Superseded
from lsp_server.configuration import Configuration
from lsp_server.context import BEFORE_CHARACTERS, workspace_path
from lsp_server.copilot_style import (
    DID_ACCEPT_PARTLY,
    DID_CHANGE_STATUS,
    DID_FOCUS,
    DID_SHOW,
    introduces_itself,
    status_of,
)
from lsp_server.documents import Document, Documents, Snapshot
from lsp_server.folder_settings import FolderSettings
from lsp_server.install_key import document_key, install_key
from lsp_server.items import ACCEPTED_COMMAND, inline_item, menu_item, suggestion_id, takes_commands
from lsp_server.json_values import as_mapping, get
from lsp_server.privacy.files import HEAD, Privacy
from lsp_server.privacy.globs import matches
from lsp_server.pygls_adapter import DocumentServer, position_from_lsp
from lsp_server.settings import Loaded, Settings, load_settings
from lsp_server.sources.base import Source, TakesMemory
from lsp_server.sources.build import build_source
from lsp_server.sources.power import resident_bytes
from lsp_server.statistics.keeper import Keeper
from lsp_server.statistics.session import Statistics
from lsp_server.status import Status, overall, report
from lsp_server.techniques import Techniques
from lsp_server.text_store import InvalidRangeError, TextView
from lsp_server.version import version
from lsp_server.workspace import lsp as workspace_lsp
from lsp_server.workspace.service import Workspace
from lsp_server.workspace.watching import watch_files

logger = logging.getLogger(__name__)

STATUS: Final = "foretype/status"
STATS: Final = "foretype/stats"

WATCH_S: Final = 0.5
"""Seconds between looks at the sources' states."""
FLUSH_S: Final = 60.0
"""Seconds between writes of the counters' file."""

EMPTY: Final = types.InlineCompletionList(items=[])

SourceFactory = Callable[[Settings], Source]


class ForetypeServer(DocumentServer):
    """One editor's server. `make_source` builds what generates; `load` reads the settings."""

    def __init__(
        self,
        make_source: SourceFactory = build_source,
        load: Callable[..., Loaded] = load_settings,
        clock: Callable[[], float] = time.monotonic,
        make_cache: Callable[[Callable[[], float]], Cache] = Cache,
    ) -> None:
        super().__init__("foretype", version(), Documents(clock), notebook_document_sync=workspace_lsp.NOTEBOOKS)
        self.completer: Completer | None = None
        self.surroundings: Workspace | None = None
        self._make_source = make_source
        self._configuration = Configuration(load)
        self._clock = clock
        self._make_cache = make_cache
        self._folders = FolderSettings()
        self._settings = Settings()
        self._with_command = True
        self._status: Status | None = None
        self._in_copilot_style = False
        self._watcher: asyncio.Task[None] | None = None
        self._finishing: asyncio.Task[None] | None = None
        self._client_log = ClientLog(self)
        self._keeper = Keeper()
        self._roots: tuple[str, ...] = ()
        self.privacy = self._make_privacy()
        self._configuring = asyncio.Lock()
        _register(self)
        workspace_lsp.register(self, self)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log it; pygls would open a box in the editor."""
        logger.warning("A message of the editor could not be handled: %s", error)

    # Life.

    def initialized_with(self, params: types.InitializeParams) -> None:
        """The editor introduced itself."""
        self._client_log.attach()
        options = params.initialization_options
        self._configuration.initialization = options if isinstance(options, Mapping) else as_mapping(options)
        client = params.client_info
        self._with_command = takes_commands(client.name if client else "")
        self._in_copilot_style = introduces_itself(as_mapping(options))
        folders = params.workspace_folders or []
        roots = [folder.uri for folder in folders] or ([params.root_uri] if params.root_uri else [])
        self._roots = tuple(roots)
        self._folders = self._configuration.read(self._roots)
        self._settings = self._folders.window
        key = document_key(install_key())
        source = self._make_source(self._settings)
        cache, techniques = self._make_cache(self._clock), Techniques.from_environment(os.environ)
        self.surroundings = self._make_workspace()
        self.completer = Completer(
            source,
            self._settings,
            key,
            read=self._text_of,
            cache=cache,
            techniques=techniques,
            surroundings=self.surroundings.surroundings,
            clock=self._clock,
        )
        self.completer.statistics.outcomes.infers_accepts = not self._with_command
        if self._settings.completion.enabled:
            _register_menu(self)

    async def begin(self) -> None:
        """Connect the sources, and ask for the editor's configuration."""
        if self.completer is None:
            return
        await self.completer.source.start()
        if self.surroundings is not None:
            self.surroundings.start()
        self._watcher = asyncio.create_task(self._watch(), name="foretype watch")
        await self.configure()
        await watch_files(self)

    def _make_workspace(self) -> Workspace:
        """What of other files goes into a prompt; it works in a thread, with rules and answers kept of its own."""
        workspace = Workspace(
            self._make_privacy().may_leave,
            # Patterns of one folder among several are asked by `may_leave`, which is told the whole path.
            is_ignored=lambda path: matches(self._settings.ignore, path),
            limits=lambda: workspace_lsp.limits_of(self.completer.source.statuses() if self.completer else []),
            cells=lambda uri: workspace_lsp.cells_around(self, uri),
            clock=self._clock,
        )
        workspace.set_roots(self._roots)
        return workspace

    def _make_privacy(self) -> Privacy:
        def of_folder(path: str) -> Settings:
            return self._folders.of_folder(path)

        return Privacy(lambda: self._roots, lambda: self._settings, self._clock, of_folder=of_folder)

    async def finish(self) -> None:
        """Close the sources and write the counters, once, however many ask: `shutdown`, and the end of the session.

        An editor may send `exit` without waiting for the answer to `shutdown`, or just close the connection; whoever
        comes later waits for the first to be through, so that `shutdown` is answered and nothing is cut short.
        """
        if self._finishing is None:
            self._finishing = asyncio.create_task(self._finish(), name="foretype finish")
        await asyncio.shield(self._finishing)

    async def _finish(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
            self._watcher = None
        if self.surroundings is not None:
            await asyncio.to_thread(self.surroundings.close)
        if self.completer is not None:
            completer, self.completer = self.completer, None
            await completer.close()
            completer.statistics.finish()
            self._send(completer.source, completer.statistics)
            await completer.source.close()
            await asyncio.to_thread(self._keeper.write, completer.statistics.counts())
        self._client_log.detach()

    # Settings.

    async def configure(self, pushed: object = None) -> None:
        """Read the settings again. `pushed` is what a `didChangeConfiguration` carried."""
        self._configuration.push(pushed)
        async with self._configuring:  # one after the other, so that the newest holds
            roots = self._roots
            folders = await self._configuration.read_again(self, roots)
            if roots == self._roots:  # else whoever changed them reads the settings after this
                await self._use(folders)

    async def _use(self, folders: FolderSettings) -> None:
        if self.completer is None or folders == self._folders:
            return
        self._folders, settings = folders, folders.window
        old, self._settings = self._settings, settings
        self.completer.settings = settings
        if self.surroundings is not None:
            self.surroundings.rules_changed()
        if (old.enabled, old.edge, old.local) != (settings.enabled, settings.edge, settings.local):
            replaced, self.completer.source = self.completer.source, self._make_source(settings)
            await self.completer.source.start()
            await replaced.close()
        self.tell_status()

    # State.

    async def _watch(self) -> None:
        flush_at = self._clock() + FLUSH_S
        while True:
            self.tell_status()
            await asyncio.sleep(WATCH_S)
            if self.completer is None:
                continue
            self.completer.statistics.look()
            if self._clock() >= flush_at:
                flush_at = self._clock() + FLUSH_S
                self._send(self.completer.source, self.completer.statistics)
                await asyncio.to_thread(self._keeper.write, self.completer.statistics.counts())

    def tell_status(self) -> None:
        """Tell the editor where suggestions come from, if that changed."""
        if self.completer is None:
            return
        status = overall(self._settings, self.completer.source.statuses())
        if status is None or status == self._status:
            return
        if self._status is None or status.state != self._status.state:
            failed = status.state == "error"
            said = status.detail if failed else f"{status.state}: {status.detail}"
            logger.log(logging.WARNING if failed else logging.INFO, "%s", said)
        self._status = status
        self.protocol.notify(STATUS, {"state": status.state, "detail": status.detail})
        if self._in_copilot_style:
            self.protocol.notify(DID_CHANGE_STATUS, status_of(status))

    def statistics(self) -> dict[str, Any]:
        """The answer to `foretype/stats`: the session's counts by the names of `foretype-lsp stats --json`."""
        return {} if self.completer is None else self.completer.statistics.so_far()

    def status(self) -> dict[str, Any]:
        """The answer to `foretype/status`: where suggestions come from, each source, and what memory this takes."""
        source = self.completer.source if self.completer is not None else None
        statuses = source.statuses() if source is not None else []
        worker = source.memory_bytes() if isinstance(source, TakesMemory) else None
        return report(overall(self._settings, statuses), statuses, resident_bytes(os.getpid()), worker)

    def _send(self, source: Source, statistics: Statistics) -> None:
        self._keeper.send(statistics.counts(), source, time.time(), wanted=self._settings.telemetry.enabled)

    # Documents.

    def document_opened(self, uri: str) -> None:
        """A document was opened, perhaps anew."""
        if self.completer is not None:
            self.completer.closed(uri)
        if uri.startswith("untitled:"):
            logger.info("%s is not saved yet: suggestions come from its text alone; path patterns do not apply.", uri)
        if (document := self.documents.get(uri)) is not None:
            # In a thread: no keystroke is to wait while a grammar is imported.
            asyncio.get_running_loop().run_in_executor(None, syntax.load, document.language_id)
            if self.surroundings is not None and document.problem is None:
                self.surroundings.opened(document.uri, document.language_id, workspace_lsp.frozen_text(document))
            if self.completer is not None:
                self.completer.opened(self._look(document, min(len(document.text), BEFORE_CHARACTERS)))

    def document_changed(self, uri: str) -> None:
        """A change was applied to a document."""
        document = self.documents.get(uri)
        if self.completer is None or document is None or document.last_change is None:
            return
        if self.surroundings is not None and document.problem is None:
            view = workspace_lsp.frozen_text(document)
            self.surroundings.changed(document.uri, document.language_id, view, document.last_change)
        self.completer.changed(document.uri, document.last_change, lambda offset: self._look(document, offset))

    def document_closed(self, uri: str) -> None:
        """A document was closed."""
        if self.surroundings is not None:
            self.surroundings.closed(uri)
        if self.completer is not None:
            self.completer.closed(uri)

    async def folders_changed(self, event: types.WorkspaceFoldersChangeEvent) -> None:
        """The editor's workspace has other folders now."""
        removed = {folder.uri for folder in event.removed}
        kept = [root for root in self._roots if root not in removed]
        self._roots = (*kept, *(folder.uri for folder in event.added))
        # At once, so that nothing of a new folder is asked for under the settings of others meanwhile.
        await self._use(self._configuration.read_before_asking(self._roots))
        if self.surroundings is not None:
            self.surroundings.set_roots(self._roots)
        await self.configure()

    def _text_of(self, uri: str) -> TextView | None:
        document = self.documents.get(uri)
        return None if document is None or document.problem is not None else document.text

    # Completions.

    async def inline(self, params: types.InlineCompletionParams) -> types.InlineCompletionList | None:
        """The answer to `textDocument/inlineCompletion`: None (JSON null) if it was superseded."""
        selected = params.context.selected_completion_info
        invoked = params.context.trigger_kind == types.InlineCompletionTriggerKind.Invoked
        found = self._snapshot(params.text_document.uri, params.position)
        if found is None:
            return EMPTY
        document, snapshot = found
        applied = None if selected is None else self._selected(snapshot, selected)
        outcome = await self._complete(document, snapshot, invoked=invoked, selected=applied, channel="inline")
        if isinstance(outcome, Superseded):
            return None
        if not isinstance(outcome, Suggested):
            return EMPTY
        item = inline_item(
            outcome, snapshot.cursor, selected if applied is not None else None, with_command=self._with_command
        )
        return types.InlineCompletionList(items=[item])

    async def menu(self, params: types.CompletionParams) -> types.CompletionList | None:
        """The answer to `textDocument/completion`."""
        found = self._snapshot(params.text_document.uri, params.position)
        if found is None:
            return types.CompletionList(is_incomplete=True, items=[])
        document, snapshot = found
        outcome = await self._complete(document, snapshot, invoked=False, selected=None, channel="menu")
        if isinstance(outcome, Superseded):
            return None
        items = []
        if isinstance(outcome, Suggested):
            items.append(menu_item(outcome, snapshot, with_command=self._with_command))
        return types.CompletionList(is_incomplete=True, items=items)

    def _snapshot(self, uri: str, position: types.Position) -> tuple[Document, Snapshot] | None:
        document = self.documents.get(uri)
        if document is None:
            logger.warning("A completion was asked for in %s, which is not open: there is none.", uri)
            return None
        try:
            return document, document.snapshot(position_from_lsp(position))
        except InvalidRangeError as error:
            logger.warning("A completion was asked for in %s: %s There is none.", uri, error)
            return None

    async def _complete(
        self, document: Document, snapshot: Snapshot, *, invoked: bool, selected: Selected | None, channel: str
    ) -> Outcome:
        if self.completer is None:
            return Superseded()  # shutting down
        ask = replace(self._ask(document, snapshot), invoked=invoked, selected=selected, channel=channel)
        return await self.completer.complete(ask)

    def _look(self, document: Document, offset: int) -> Ask:
        """What the editor would ask with the cursor at `offset`."""
        return self._ask(document, document.snapshot(document.text.position_at(offset)))

    def _ask(self, document: Document, snapshot: Snapshot) -> Ask:
        change = document.last_change
        return Ask(
            snapshot=snapshot,
            path=workspace_path(document.uri, self._roots),
            problem=document.problem,
            withheld=self.privacy.withheld_document(
                document.uri, document.text.slice(0, HEAD), len(document.text), document.text.line_count
            ),
            changed_at=change.at if change is not None else None,
            settings=self._folders.of_document(document.uri),
        )

    def _selected(self, snapshot: Snapshot, info: types.SelectedCompletionInfo) -> Selected | None:
        """The selected item in code points; None if its range is not around the cursor."""
        try:
            start = snapshot.text.offset_at(position_from_lsp(info.range.start))
            end = snapshot.text.offset_at(position_from_lsp(info.range.end))
        except InvalidRangeError:
            return None
        if not start <= snapshot.offset <= end or info.range.start.line != snapshot.cursor.line:
            return None
        return Selected(snapshot.between(start, snapshot.offset), end - snapshot.offset, info.text)

    # What became of them.

    def accepted(self, argument: object) -> None:
        """The command of an accepted item was run."""
        id = suggestion_id(argument)
        if self.completer is not None and id is not None:
            self.completer.statistics.accepted(id)

    def focused(self, params: object) -> None:
        """`textDocument/didFocus`: the person looks at this document. Who sends it takes `didChangeStatus`."""
        if not self._in_copilot_style:
            self._in_copilot_style = True
            self.protocol.notify(DID_CHANGE_STATUS, status_of(self._status))
        document = self.documents.get(str(get(get(params, "textDocument"), "uri")))
        if document is not None and document.problem is None and self.surroundings is not None:
            self.surroundings.opened(document.uri, document.language_id, workspace_lsp.frozen_text(document))

    def shown(self, params: object) -> None:
        """`textDocument/didShowCompletion`: the item is on screen."""
        id = suggestion_id(get(params, "item"))
        if self.completer is not None and id is not None:
            self.completer.statistics.reported_shown(id)

    def accepted_partly(self, params: object) -> None:
        """`textDocument/didPartiallyAcceptCompletion`: `acceptedLength` units of UTF-16 from the start of the item."""
        id, length = suggestion_id(get(params, "item")), get(params, "acceptedLength")
        if self.completer is not None and id is not None and isinstance(length, int):
            self.completer.statistics.accepted_partly(id, length)


def _register(server: ForetypeServer) -> None:
    """Register what the server answers; statically, since some editors ask without announcing that they can."""
    options = types.InlineCompletionOptions(work_done_progress=False)

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.initialized_with(params)

    @server.feature(types.INITIALIZED)
    async def initialized(params: types.InitializedParams) -> None:
        await server.begin()

    @server.feature(types.SHUTDOWN)
    async def shutdown(params: Any) -> None:
        await server.finish()

    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, options)
    async def inline(params: types.InlineCompletionParams) -> types.InlineCompletionList | None:
        return await server.inline(params)

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.document_opened(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        server.document_changed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.document_closed(params.text_document.uri)

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def folders(params: types.DidChangeWorkspaceFoldersParams) -> None:
        await server.folders_changed(params.event)

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def configuration(params: types.DidChangeConfigurationParams) -> None:
        await server.configure(params.settings)

    @server.command(ACCEPTED_COMMAND)
    def accepted(*arguments: Any) -> None:
        server.accepted(arguments[0] if arguments else None)

    @server.feature(DID_FOCUS)
    def focused(params: Any) -> None:
        server.focused(params)

    @server.feature(DID_SHOW)
    def shown(params: Any) -> None:
        server.shown(params)

    @server.feature(DID_ACCEPT_PARTLY)
    def accepted_partly(params: Any) -> None:
        server.accepted_partly(params)

    @server.feature(STATUS)
    def status(params: Any) -> dict[str, Any]:
        return server.status()

    @server.feature(STATS)
    def stats(params: Any) -> dict[str, Any]:
        return server.statistics()


def _register_menu(server: ForetypeServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(resolve_provider=False))
    async def menu(params: types.CompletionParams) -> types.CompletionList | None:
        return await server.menu(params)
