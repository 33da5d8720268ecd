"""What is done in the background: open files cut into blocks, folders walked, imports resolved; in steps of about 1 ms.

Used from one thread. Each task is a generator that yields where others may go on; what comes of it is published as a
new `Library`, which readers take as it is.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from lsp_server.text_store import TextView
from lsp_server.workspace.blocks import cutting, recut
from lsp_server.workspace.declarations import Declaration, declarations
from lsp_server.workspace.definitions import definitions
from lsp_server.workspace.eligible import MAX_FILE_BYTES, is_generated_name, is_written_by_hand, worth_indexing
from lsp_server.workspace.file_index import FileIndex
from lsp_server.workspace.gather import Library
from lsp_server.workspace.imports import Import, imports_of
from lsp_server.workspace.languages import family, language_of
from lsp_server.workspace.recent import Recent
from lsp_server.workspace.resolve import candidates, defining
from lsp_server.workspace.scan import Found, inside, is_ignored_below, read_regular, walk
from lsp_server.workspace.similar import Source
from lsp_server.workspace.words import words
from wire_protocol.text import clean

logger = logging.getLogger(__name__)

MAX_READ_FILES: Final = 30_000
MAX_READ_BYTES: Final = 134_217_728
"""Files and bytes of one workspace folder that are looked through for definitions; of the rest only paths are known."""
MAX_WORK_S: Final = 180.0
"""Seconds of work for one workspace folder, its pauses not counted (100,000 files take 40): on a slow disk what is not
known by then stays unknown."""
MAX_DECLARED: Final = 120
"""Declarations kept for one document."""
MAX_DOCUMENTS: Final = 64
"""Documents whose imports are kept resolved."""
FIRST_LOOK: Final = 500
"""Files of a folder after which imports are resolved anew, and then each time there are four times as many: a document
that was opened first need not wait for the last file."""

Task = Iterator[object]

MayLeave = Callable[[str, str], bool]
"""Whether a file at this absolute path with this text may go into a prompt; asked in the background's thread only."""


class Indexer:
    """`may_leave` decides on each file whose text is used; `publish` is told each new library."""

    def __init__(
        self,
        may_leave: MayLeave,
        is_ignored: Callable[[str], bool] = lambda path: False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._clock = clock
        self._may_leave = may_leave
        self._is_ignored = is_ignored
        self._recent = Recent()
        self._declared: OrderedDict[str, tuple[Declaration, ...]] = OrderedDict()
        self._reread_paths: dict[Path, set[str]] = {}
        """Files that changed while their folder is walked: they may be in its index already."""
        self._soon: deque[Task] = deque()
        self._later: deque[Task] = deque()
        self.indexes: dict[Path, FileIndex] = {}
        self.read_bytes = 0
        self._looks = 0
        self._judged = 0
        self.library = Library()

    def step(self) -> bool:
        """Do the next little piece of work; False if there is none."""
        queue = self._soon or self._later
        if not queue:
            return False
        try:
            next(queue[0])
        except StopIteration:
            queue.popleft()
        return True

    @property
    def is_scanning(self) -> bool:
        """Whether folders are still being walked."""
        return bool(self._later)

    # What there is to do.

    def open_root(self, root: Path) -> None:
        """Walk a folder of the workspace."""
        if root not in self.indexes:
            self._walk(root)

    def close_root(self, root: Path) -> None:
        """Forget a folder."""
        self.indexes.pop(root, None)
        self._reread_paths.pop(root, None)

    def visit(self, uri: str, root: Path, path: str, language: str, view: TextView) -> None:
        """A document was opened or edited: cut it anew and resolve its imports."""
        self._soon.append(self._visit(uri, root, path, language, view))

    def changed_on_disk(self, root: Path, path: str) -> None:
        """A file was written, made or removed."""
        if (index := self.indexes.get(root)) is not None:
            self._soon.append(self._reread(root, path, index))

    def forget(self, uri: str) -> None:
        """A document that must not be used."""
        self._recent.forget(uri)
        self._declared.pop(uri, None)
        self._publish()

    def closed(self, uri: str) -> None:
        """A document was closed; its text stays among those visited last."""
        self._soon.append(self._close(uri))

    def rejudge(self) -> None:
        """What may leave has changed: look at each file again."""
        self._soon.append(self._rejudge())

    # How it is done.

    def _walk(self, root: Path) -> None:
        self.indexes[root] = FileIndex()
        self._reread_paths[root] = set()
        self._later.append(self._scan(root, self.indexes[root], self._reread_paths[root]))

    def _rejudge(self) -> Task:
        for visited in self._recent.latest_first():
            root, path = visited.source.root, visited.source.path
            if is_ignored_below(root, path) or not self._may_leave(str(root / path), visited.text):
                self.forget(visited.source.uri)
            yield None
        self._declared.clear()
        self._publish()
        yield from self._resolve_anew()
        self._judged += 1
        self._publish()

    def _resolve_anew(self, root: Path | None = None) -> Task:
        """Look again for what is imported, of the documents visited last first: more of the folder is known now."""
        for visited in self._recent.latest_first():
            source = visited.source
            if root in (None, source.root) and self._recent.get(source.uri) is visited:
                yield from self._resolve(source.uri, source.root, source.path, visited.language, visited.text)
        self._looks += 1
        self._publish()

    def _publish(self) -> None:
        sources = tuple(visited.source for visited in self._recent.latest_first())
        self.library = Library(sources, dict(self._declared), self._looks, self._judged)

    def _close(self, uri: str) -> Task:
        if (visited := self._recent.get(uri)) is not None:
            visited.open = False
        yield None

    def _visit(self, uri: str, root: Path, path: str, language: str, view: TextView | str) -> Task:
        if len(view) > MAX_FILE_BYTES:
            return
        text = clean(str(view))
        yield None
        usable = not is_generated_name(path) and is_written_by_hand(text)
        if (
            not usable
            or is_ignored_below(root, path)
            or self._is_ignored(path)
            or not self._may_leave(str(root / path), text)
        ):
            self.forget(uri)
            return
        yield None
        old = self._recent.get(uri)
        blocks = (yield from cutting(text)) if old is None else recut(old.source.blocks, text)
        self._recent.visit(Source(uri, root, path, family(language), blocks), language)
        self._publish()
        yield None
        yield from self._resolve(uri, root, path, language, text)

    def _resolve(self, uri: str, root: Path, path: str, language: str, text: str) -> Task:
        index = self.indexes.get(root)
        imports = imports_of(language, text) if index is not None else []
        yield None
        used = words(text)
        found: dict[tuple[str, int], Declaration] = {}
        for wanted in imports:
            if index is None or len(found) >= MAX_DECLARED:
                break
            names = frozenset(wanted.names) if wanted.names and not wanted.everything else used
            missing = set(wanted.names)
            for file in candidates(index, path, family(language), wanted):
                for each in self._declarations(root, file, names):
                    yield None
                    found[each.path, each.line] = each
                    missing.discard(each.name)
            yield None
            if wanted.level or _may_be_ours(index, wanted):
                for name in missing:
                    for file in defining(index, path, family(language), name):
                        for each in self._declarations(root, file, frozenset({name})):
                            yield None
                            found[each.path, each.line] = each
        self._declared.pop(uri, None)
        self._declared[uri] = tuple(list(found.values())[:MAX_DECLARED])
        while len(self._declared) > MAX_DOCUMENTS:
            self._declared.popitem(last=False)
        self._publish()

    def _declarations(self, root: Path, path: str, names: frozenset[str]) -> Iterator[Declaration]:
        text = self._text_of(root, path)
        if text is not None:
            yield from declarations(language_of(path), path, text, names)

    def _text_of(self, root: Path, path: str) -> str | None:
        """A file's text: as it stands in the editor, if it is among those visited last; None if it may not be used."""
        if (visited := self._recent.at(root, path)) is not None:
            return visited.text
        place = inside(root, path)
        text = None if place is None else read_regular(place, MAX_FILE_BYTES)
        if text is None or not is_written_by_hand(text) or not self._may_leave(str(place), text):
            return None
        return text

    def _scan(self, root: Path, index: FileIndex, reread: set[str]) -> Task:
        files, read, next_look = 0, 0, FIRST_LOOK
        worked, began = 0.0, self._clock()
        for found in walk(root, self._is_ignored):
            if self.indexes.get(root) is not index:
                return
            if index.is_full or worked > MAX_WORK_S:
                logger.info("%s is too large to be known whole: %s files of it are.", root, len(index))
                break
            if found is not None:
                readable = files < MAX_READ_FILES and read + found.size <= MAX_READ_BYTES
                files, read = files + readable, read + found.size * readable
                self.read_bytes += found.size * readable
                self._index(root, found, index, readable=readable, known=found.path in reread)
            worked += self._clock() - began
            yield None
            began = self._clock()
            if len(index) >= next_look:
                next_look *= 4
                self._soon.append(self._resolve_anew(root))
        self._reread_paths.pop(root, None)
        self._soon.append(self._resolve_anew(root))

    def _index(self, root: Path, found: Found, index: FileIndex, *, readable: bool, known: bool) -> None:
        text = read_regular(root / found.path, MAX_FILE_BYTES) if readable else None
        if text is None or not is_written_by_hand(text):
            index.add(found.path, known=known)
        else:
            names = {name for name, _ in definitions(language_of(found.path), text)}
            index.add(found.path, names, known=known)

    def _reread(self, root: Path, path: str, index: FileIndex) -> Task:
        if root in self._reread_paths:
            self._reread_paths[root].add(path)
        index.remove(path)
        place = inside(root, path)
        try:
            size = 0 if place is None else place.stat(follow_symlinks=False).st_size
        except OSError:
            size = 0
        yield None
        if worth_indexing(path, size) and not is_ignored_below(root, path) and not self._is_ignored(path):
            self._index(root, Found(path, size), index, readable=True, known=True)
        if (visited := self._recent.at(root, path)) is not None and not visited.open:
            uri = visited.source.uri
            text = None if place is None else read_regular(place, MAX_FILE_BYTES)
            if text is None:
                self.forget(uri)
            else:
                yield from self._visit(uri, root, path, visited.language, text)
                yield from self._close(uri)
        if index.removed > len(index) + 1_000:
            self._walk(root)  # mostly numbers of files that are gone: begin anew


def _may_be_ours(index: FileIndex, wanted: Import) -> bool:
    """Whether the first word of a module is a folder or a file of the workspace: its names may be passed on."""
    first = wanted.module.replace("::", ".").replace("/", ".").partition(".")[0]
    return first in ("crate", "super", "self", "@", "~") or bool(index.files_in(first) or index.files_named(first))
