"""The workspace as the server and the completer see it: told of documents and folders, asked for surroundings.

A thread works through the indexer in slices of at most 2 ms, between which it sleeps, longer while a person types: so
no key waits for it longer than one slice. Documents come to it as frozen views, what it finds comes back as immutable
libraries; neither side waits for the other.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cachetools import LRUCache
from pygls.uris import to_fs_path

from lsp_server.anchor import Place
from lsp_server.ask import Ask
from lsp_server.context import AFTER_CHARACTERS, uri_path, window_start, workspace_path
from lsp_server.documents import Change, Snapshot
from lsp_server.text_store import TextView
from lsp_server.workspace.budgets import Budget, Kind, Limits, budget_for
from lsp_server.workspace.choose import KINDS
from lsp_server.workspace.edits import RecentEdits
from lsp_server.workspace.gather import Spot, gather
from lsp_server.workspace.ignores import IGNORE_FILES
from lsp_server.workspace.indexer import Indexer, MayLeave
from lsp_server.workspace.languages import family
from lsp_server.workspace.parts import NOTHING, Surroundings

logger = logging.getLogger(__name__)

SLICE_S: Final = 0.002
"""Seconds of work at a time."""
PAUSE_S: Final = 0.002
TYPING_PAUSE_S: Final = 0.02
"""Seconds between slices: usually, and within TYPING_S of a key."""
TYPING_S: Final = 1.0
QUIET_S: Final = 0.5
"""Seconds without an edit after which a document is cut anew."""
RULES_S: Final = 3.0
"""Seconds after which rules that changed are surely known to whoever judges by them (it looks every two)."""
MAX_PENDING: Final = 1_024
"""Files changed on disk that wait; of more the rest is found at the next start."""

STEP_LINES: Final = 24
"""Lines that the anchor moves before other parts are looked for."""
MAX_FROZEN: Final = 64
"""Documents whose parts are kept."""

CellsOf = Callable[[str], tuple[str, str]]
"""The text of the cells above and below one of a notebook, by its URI."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """What was given for an anchor (`start`, in line `line`), whose window began at `window`."""

    start: int
    budget: Budget
    window: int
    line: int
    found: Surroundings

    def serves(self, other: Frozen) -> bool:
        """Whether the same parts will do for another anchor: near by, in the same window.

        Other parts would cost the KV cache of the whole prompt; when the window moves, that is lost anyway.
        """
        same = (self.budget, self.window) == (other.budget, other.window)
        return same and bool(self.found.parts) and abs(self.line - other.line) < STEP_LINES


class Workspace:
    """`clock` gives monotonic seconds. `limits` says what will answer. Methods are called from the server's thread."""

    def __init__(
        self,
        may_leave: MayLeave,
        *,
        is_ignored: Callable[[str], bool] = lambda path: False,
        limits: Callable[[], Limits] = Limits,
        cells: CellsOf = lambda uri: ("", ""),
        kinds: frozenset[Kind] = frozenset(KINDS),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._limits = limits
        self._cells = cells
        self._kinds = kinds
        self._edits = RecentEdits()
        self._frozen: LRUCache[str, Frozen] = LRUCache(MAX_FROZEN)
        self._last = ""
        """The document that was asked for last."""
        self._roots: tuple[str, ...] = ()
        self._dirty: dict[str, tuple[float, str, TextView]] = {}
        self._orders: deque[Callable[[], None]] = deque()
        """About folders and rules: few, and none may be lost."""
        self._files: deque[Callable[[], None]] = deque(maxlen=MAX_PENDING)
        """Files that changed on disk."""
        self._typed_at = -TYPING_S
        self._rejudge_at = math.inf
        self._wake = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None
        self.indexer = Indexer(may_leave, is_ignored)

    # Life.

    def start(self) -> None:
        """Begin to work in the background."""
        self._thread = threading.Thread(target=self._run, name="foretype workspace", daemon=True)
        self._thread.start()

    def work(self, seconds: float) -> None:
        """Do all there is to do, in this thread, where none was started."""
        end = self._clock() + seconds
        while self._slice() and self._clock() < end:
            pass

    def close(self) -> None:
        """End the background's work; waits for its slice."""
        self._stopped = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=1.0)

    def set_roots(self, roots: Sequence[str]) -> None:
        """The URIs of the workspace's folders."""
        old, self._roots = self._roots, tuple(roots)
        for uri in old:
            if uri not in roots and (folder := _folder(uri)) is not None:
                self._order(partial(self.indexer.close_root, folder))
        for uri in roots:
            if uri not in old and (folder := _folder(uri)) is not None:
                self._order(partial(self.indexer.open_root, folder))

    # What the editor tells.

    def opened(self, uri: str, language: str, view: TextView) -> None:
        """A document was opened, or visited again."""
        self._dirty[uri] = (self._clock() - QUIET_S, language, view)
        self._wake.set()

    def changed(self, uri: str, language: str, view: TextView, change: Change) -> None:
        """A document was edited; `view` is its text now, frozen."""
        self._typed_at = change.at
        if self._place_of(uri) is None:
            return
        self._edits.changed(uri, workspace_path(uri, self._roots), family(language), view, change)
        if uri not in self._dirty:
            self._wake.set()
        self._dirty[uri] = (change.at, language, view)

    def closed(self, uri: str) -> None:
        """A document was closed: it stays among those visited recently."""
        self._edits.closed(uri)
        self._frozen.pop(uri, None)

    def file_changed(self, uri: str) -> None:
        """A file was written, made or removed outside of the editor."""
        if (place := self._place_of(uri)) is not None:
            root, path = place
            if path.rpartition("/")[2] in IGNORE_FILES:
                self.rules_changed()
            self._files.append(lambda: self.indexer.changed_on_disk(root, path))
            self._wake.set()

    def rules_changed(self) -> None:
        """What may leave has changed: nothing that was gathered before is given any more, each file is judged anew, and
        once more when whoever judges has read the rules again."""
        self._frozen.clear()
        self._rejudge_at = self._clock() + RULES_S
        self._order(self.indexer.rejudge)

    # What the completer asks.

    def surroundings(self, ask: Ask, place: Place) -> Surroundings:
        """What goes beside the context of `place`: the same as long as its burst of typing lasts, and the same parts
        for the next burst unless it is STEP_LINES away, in another window, or the person was in another document."""
        uri = ask.snapshot.uri
        budget = budget_for(self._limits())
        frozen = self._frozen.get(uri)
        if frozen is not None and (frozen.start, frozen.budget) == (place.start, budget):
            return frozen.found
        line = ask.snapshot.text.position_at(place.start).line
        here = Frozen(place.start, budget, window_start(ask.snapshot, place.start), line, NOTHING)
        if frozen is not None and uri == self._last and frozen.serves(here):
            parts, here = frozen.found.parts, replace(here, line=frozen.line)
        elif self._root_of(uri) is not None:
            kept = () if frozen is None else frozen.found.parts
            spot = _spot(ask.snapshot, place, ask.path, budget)
            parts = gather(spot, self.indexer.library, self._edits.regions, budget, kept, self._clock, self._kinds)
        else:
            parts = ()
        above, below = self._cells(uri)
        if parts or above or below:
            here = replace(here, found=Surroundings(parts, above, below))
        self._frozen[uri], self._last = here, uri
        return here.found

    # Folders.

    def _root_of(self, uri: str) -> str | None:
        path = uri_path(uri)
        inside = [root for root in self._roots if path.startswith(uri_path(root).rstrip("/") + "/")]
        return max(inside, key=len) if inside else None

    def _place_of(self, uri: str) -> tuple[Path, str] | None:
        """The folder and the relative path of a file on this machine; None for what is none: unsaved, remote, a cell,
        outside of the workspace."""
        parts = urlsplit(uri) if uri.startswith("file:") else None
        root = self._root_of(uri)
        if parts is None or parts.fragment or root is None:
            return None
        folder = _folder(root)
        return None if folder is None else (folder, workspace_path(uri, (root,)))

    # The thread.

    def _order(self, order: Callable[[], None]) -> None:
        self._orders.append(order)
        self._wake.set()

    def _run(self) -> None:
        while not self._stopped:
            try:
                busy = self._slice()
            except Exception:  # a file nobody thought of: suggestions go on, without it
                logger.exception("The workspace index stumbled over a file and goes on.")
                busy = True
            if busy:
                typing = self._clock() - self._typed_at < TYPING_S
                time.sleep(TYPING_PAUSE_S if typing else PAUSE_S)
            else:
                self._wake.wait(QUIET_S if self._dirty or self._rejudge_at < math.inf else None)
                self._wake.clear()

    def _slice(self) -> bool:
        """Work for SLICE_S; whether there is more."""
        end = time.perf_counter() + SLICE_S
        for waiting in (self._orders, self._files):
            while waiting:
                waiting.popleft()()
        self._take_dirty()
        while time.perf_counter() < end:
            if not self.indexer.step():
                return False
        return True

    def _take_dirty(self) -> None:
        now = self._clock()
        if now >= self._rejudge_at:
            self._rejudge_at = math.inf
            self.indexer.rejudge()
        for uri, (at, language, view) in list(self._dirty.items()):
            if now - at >= QUIET_S and (place := self._place_of(uri)) is not None:
                self.indexer.visit(uri, *place, language, view)
            if now - at >= QUIET_S and self._dirty.get(uri, (None,))[0] == at:
                self._dirty.pop(uri, None)


def _folder(uri: str) -> Path | None:
    """The folder of a URI on this machine; None for a remote one."""
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return Path(path) if path else None


def _spot(snapshot: Snapshot, place: Place, path: str, budget: Budget) -> Spot:
    line = snapshot.text.position_at(place.start).line
    start = snapshot.text.line_offset(max(0, line - budget.lines_above))
    end = snapshot.text.line_offset(snapshot.text.position_at(place.end).line + budget.lines_below)
    seen_from, seen_to = window_start(snapshot, place.start), place.end + AFTER_CHARACTERS
    lines = snapshot.text.position_at(seen_from).line, snapshot.text.position_at(seen_to).line
    return Spot(
        uri=snapshot.uri,
        path=path,
        family=family(snapshot.language_id),
        before=snapshot.between(start, place.cursor),
        around=snapshot.between(start, end),
        visible=snapshot.between(seen_from, seen_to),
        visible_lines=lines,
    )
