"""The workspace as the server and the completer see it: told of documents and folders, asked for surroundings.

A thread works through the indexer in short turns (`turns`). Documents come to it as frozen views, what it finds comes
back as immutable libraries; neither side waits for the other.
"""

from __future__ import annotations

import logging
import math
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from cachetools import LRUCache

from lsp_server.anchor import Place
from lsp_server.ask import Ask
from lsp_server.context import AFTER_CHARACTERS, window_start, workspace_path
from lsp_server.documents import Change, Snapshot
from lsp_server.privacy.ignore_files import IGNORE_FILES
from lsp_server.text_store import TextView
from lsp_server.workspace.budgets import Budget, Kind, Limits, budget_for
from lsp_server.workspace.choose import KINDS
from lsp_server.workspace.edits import RecentEdits
from lsp_server.workspace.folders import Folders, folder_of
from lsp_server.workspace.gather import Spot, gather
from lsp_server.workspace.indexer import Indexer, MayLeave
from lsp_server.workspace.languages import family
from lsp_server.workspace.parts import NOTHING, Surroundings
from lsp_server.workspace.turns import IDLE, SWITCH_S, TYPING_S, turn

logger = logging.getLogger(__name__)

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
    """What was given for an anchor (`start`, in line `line`), whose window began at `window`, after so many `looks` of
    the index at what is imported, and after all files were `judged` so often."""

    start: int
    budget: Budget
    window: int
    line: int
    looks: int
    judged: int
    found: Surroundings

    def serves(self, other: Frozen) -> bool:
        """Whether the same parts will do for another anchor: near by, in the same window.

        Other parts would cost the KV cache of the whole prompt; when the window moves, that is lost anyway.
        """
        same = (self.budget, self.window, self.looks, self.judged) == (
            other.budget,
            other.window,
            other.looks,
            other.judged,
        )
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
        self.kinds = kinds
        """What is given; benches change it."""
        self._edits = RecentEdits()
        self._frozen: LRUCache[str, Frozen] = LRUCache(MAX_FROZEN)
        self._last = ""
        """The document that was asked for last."""
        self._folders = Folders()
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
        """Begin to work in the background; Python's threads take shorter turns from now on."""
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_S))
        self._thread = threading.Thread(target=self._run, name="foretype workspace", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Have the thread look whether there is something to do."""
        self._wake.set()

    def work(self, seconds: float) -> None:
        """Do all there is to do, in this thread, where none was started; `close` ends it early."""
        end = self._clock() + seconds
        while self._work_for(IDLE.work) and self._clock() < end and not self._stopped:
            pass

    def close(self) -> None:
        """End the background's work; waits for its slice."""
        self._stopped = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=1.0)

    def set_roots(self, roots: Sequence[str]) -> None:
        """The URIs of the workspace's folders."""
        old, self._folders = self._folders.uris, Folders(roots)
        for uri in old:
            if uri not in roots and (folder := folder_of(uri)) is not None:
                self._order(partial(self.indexer.close_root, folder))
        for uri in roots:
            if uri not in old and (folder := folder_of(uri)) is not None:
                self._order(partial(self.indexer.open_root, folder))

    # What the editor tells.

    def opened(self, uri: str, language: str, view: TextView) -> None:
        """A document was opened, or visited again."""
        self._dirty[uri] = (self._clock() - QUIET_S, language, view)
        self._wake.set()

    def changed(self, uri: str, language: str, view: TextView, change: Change) -> None:
        """A document was edited; `view` is its text now, frozen."""
        self._typed_at = change.at
        if self._folders.place_of(uri) is None:
            return
        self._edits.changed(uri, workspace_path(uri, self._folders.uris), family(language), view, change)
        if uri not in self._dirty:
            self._wake.set()
        self._dirty[uri] = (change.at, language, view)

    def closed(self, uri: str) -> None:
        """A document was closed: it stays among those visited recently."""
        self._edits.closed(uri)
        self.moved_away(uri)
        self._order(partial(self._close, uri))

    def moved_away(self, uri: str) -> None:
        """What was gathered for a document is not given again."""
        self._frozen.pop(uri, None)

    def file_changed(self, uri: str) -> None:
        """A file was written, made or removed outside of the editor."""
        if (place := self._folders.place_of(uri)) is not None:
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
        library = self.indexer.library
        key = (place.start, budget, library.judged)
        if frozen is not None and (frozen.start, frozen.budget, frozen.judged) == key:
            return frozen.found
        line = ask.snapshot.text.position_at(place.start).line
        window = window_start(ask.snapshot, place.start)
        here = Frozen(place.start, budget, window, line, library.looks, library.judged, NOTHING)
        if frozen is not None and uri == self._last and frozen.serves(here):
            parts, here = frozen.found.parts, replace(here, line=frozen.line)
        elif self._folders.root_of(uri) is not None:
            kept = () if frozen is None else frozen.found.parts
            spot = _spot(ask.snapshot, place, ask.path, budget)
            parts = gather(spot, library, self._edits.regions, budget, kept, self._clock, self.kinds)
        else:
            parts = ()
        above, below = self._cells(uri)
        if parts or above or below:
            here = replace(here, found=Surroundings(parts, above, below))
        self._frozen[uri], self._last = here, uri
        return here.found

    # The thread.

    def _order(self, order: Callable[[], None]) -> None:
        self._orders.append(order)
        self._wake.set()

    def _run(self) -> None:
        while not self._stopped:
            next_turn = turn(self._clock() - self._typed_at)
            if next_turn.work <= 0.0 or self._work_for(next_turn.work):
                time.sleep(next_turn.pause)
            else:
                self._wake.wait(QUIET_S if self._dirty or self._rejudge_at < math.inf else None)
                self._wake.clear()

    def _work_for(self, seconds: float) -> bool:
        """Whether there is more to do after so much work."""
        try:
            return self._worked_for(seconds)
        except Exception:  # a file nobody thought of: suggestions go on, without it
            logger.exception("The workspace index stumbled over a file and goes on.")
            return True

    def _worked_for(self, seconds: float) -> bool:
        end = time.perf_counter() + seconds
        for waiting in (self._orders, self._files):
            while waiting:
                waiting.popleft()()
        self._take_dirty()
        while time.perf_counter() < end:
            if not self.indexer.step():
                return False
        return True

    def _close(self, uri: str) -> None:
        _, language, view = self._dirty.pop(uri, (0.0, "", None))
        if view is not None and (place := self._folders.place_of(uri)) is not None:
            self.indexer.visit(uri, *place, language, view)
        self.indexer.closed(uri)

    def _take_dirty(self) -> None:
        now = self._clock()
        if now >= self._rejudge_at:
            self._rejudge_at = math.inf
            self.indexer.rejudge()
        for uri in [uri for uri, (at, _, _) in list(self._dirty.items()) if now - at >= QUIET_S]:
            # Taken in one step: an edit that the server's thread puts there meanwhile is taken now, or stays.
            _, language, view = self._dirty.pop(uri, (0.0, "", None))
            if view is not None and (place := self._folders.place_of(uri)) is not None:
                self.indexer.visit(uri, *place, language, view)


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
