"""A person with an editor on a folder: files are opened and typed in, and the workspace is worked through at once."""

from __future__ import annotations

from pathlib import Path

from lsp_server.anchor import Anchor, Place
from lsp_server.ask import Ask
from lsp_server.context import workspace_path
from lsp_server.documents import ContentChange, Document, Documents
from lsp_server.positions import Position, PositionEncoding, Range
from lsp_server.workspace.indexer import MayLeave
from lsp_server.workspace.parts import Part
from lsp_server.workspace.service import Workspace

STORE = '''\
class Store:
    """Keeps entries."""

    def put(self, key: str, entry: bytes) -> None:
        self.entries[key] = entry
'''
HELPER = "def flush_entries(store, entries, limit):\n    for key in entries:\n        store.put(key, entries[key])\n"
MAIN = (
    "from pkg.store import Store\n\n\ndef save(entries, limit):\n    store = Store()\n    for key in entries:\n        "
)


class FakeEditor:
    """Opens files of a folder and types in them; the clock stands still unless it is moved."""

    def __init__(self, root: Path, may_leave: MayLeave = lambda path, text: True) -> None:
        self.root = root
        self.now = 100.0
        self.roots = [root.as_uri()]
        self.documents = Documents(lambda: self.now, PositionEncoding.UTF32)
        self.workspace = Workspace(may_leave, clock=lambda: self.now)
        self.workspace.set_roots(self.roots)
        self.anchors: dict[str, Anchor] = {}

    def open(self, path: str, text: str | None = None, language: str = "python") -> Document:
        if text is not None:
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text, encoding="utf-8")
        return self.open_uri((self.root / path).as_uri(), (self.root / path).read_text("utf-8"), language)

    def open_uri(self, uri: str, text: str, language: str = "python") -> Document:
        document = self.documents.open(uri, language, 1, text)
        self.workspace.opened(uri, language, document.snapshot(Position(0, 0)).text)
        self.workspace.work(10.0)
        return document

    def type(self, document: Document, text: str) -> None:
        end = document.text.position_at(len(document.text))
        change = self.documents.change(document.uri, 2, [ContentChange(text, Range(end, end))])
        self.anchors.setdefault(document.uri, Anchor()).changed(change)
        view = document.snapshot(Position(0, 0)).text
        self.workspace.changed(document.uri, document.language_id, view, change)

    def ask(self, document: Document) -> tuple[Ask, Place]:
        snapshot = document.snapshot(document.text.position_at(len(document.text)))
        anchor = self.anchors.setdefault(document.uri, Anchor())
        return Ask(snapshot, workspace_path(document.uri, self.roots)), anchor.place(snapshot)

    def parts(self, document: Document) -> tuple[Part, ...]:
        return self.workspace.surroundings(*self.ask(document)).parts


def put(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, encoding="utf-8")


def kinds(parts: tuple[Part, ...]) -> list[tuple[str, str]]:
    return [(part.kind, part.snippet.path) for part in parts]
