"""Held-out packages as folders on disk, and a person who has some files of one open."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.quality.cursors import Cursor
from benchmarks.quality.held_out import Record
from lsp_server.anchor import MAX_TYPED, Move, Place
from lsp_server.ask import Ask
from lsp_server.documents import ContentChange, Document, Documents
from lsp_server.positions import Position, PositionEncoding, Range
from lsp_server.text_store import TextView
from lsp_server.workspace.languages import family
from lsp_server.workspace.service import Workspace

MIN_FILES: Final = 3
"""Files of one language a package must have: with fewer there is nothing to tell."""
OPEN_FILES: Final = 6
"""Files that are open beside the cursor's: the nearest by their folders."""
EDITED_LINES: Final = 6
"""Lines that the person just wrote in one of them, so that there is a recent edit at all."""


def written(records: Sequence[Record], folder: Path) -> dict[str, Path]:
    """Each package in a folder of its own, by name. Paths that lead out of it are left out."""
    roots: dict[str, Path] = {}
    for record in records:
        root = roots.setdefault(record.package, folder / f"package_{len(roots)}")
        target = root / record.path
        if ".." in record.path.split("/") or target.is_dir():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(record.text, encoding="utf-8")
    return roots


def companions(records: Sequence[Record]) -> dict[tuple[str, str], list[Record]]:
    """The files of each package and language family, of those that have enough."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        groups.setdefault((record.package, family(record.language)), []).append(record)
    return {key: group for key, group in groups.items() if len(group) >= MIN_FILES}


def opened(cursor: Cursor, group: Sequence[Record]) -> list[Record]:
    """The files that are open beside the cursor's, the one visited last at the end."""
    others = [record for record in group if record != cursor.record]
    others.sort(key=lambda record: (_distance(cursor.record.path, record.path), record.path))
    return list(reversed(others[:OPEN_FILES]))


def _distance(path: str, other: str) -> int:
    """Folders to go up and down from one file to another."""
    mine, theirs = path.split("/")[:-1], other.split("/")[:-1]
    shared = 0
    while shared < min(len(mine), len(theirs)) and mine[shared] == theirs[shared]:
        shared += 1
    return len(mine) + len(theirs) - 2 * shared


def visit(workspace: Workspace, root: Path, cursor: Cursor, others: Sequence[Record]) -> tuple[Ask, Place]:
    """Open the files, write some lines of the last one anew, and stand at the cursor with its hole."""
    documents = Documents(lambda: 0.0, PositionEncoding.UTF32)
    for record in others:
        uri = (root / record.path).as_uri()
        document = documents.open(uri, record.language, 1, record.text)
        if record is others[-1]:
            _rewrite(workspace, documents, document, cursor.place)
        workspace.opened(uri, record.language, _view(document))
        workspace.work(1.0)
    uri = (root / cursor.record.path).as_uri()
    document = documents.open(uri, cursor.record.language, 1, cursor.before + cursor.typed + cursor.after)
    workspace.opened(uri, cursor.record.language, _view(document))
    workspace.work(1.0)
    start = max(cursor.start, cursor.at - MAX_TYPED)
    snapshot = document.snapshot(document.text.position_at(cursor.at))
    return Ask(snapshot, cursor.record.path), Place(start, cursor.at, cursor.at, Move.TYPED)


def _rewrite(workspace: Workspace, documents: Documents, document: Document, seed: str) -> None:
    """Take some lines out, unseen, and type them: what is left of it is one recent edit, at a random place."""
    lines = document.text.line_count
    first = random.Random(seed).randrange(max(1, lines - EDITED_LINES))
    start, end = document.text.line_offset(first), document.text.line_offset(first + EDITED_LINES)
    text = document.text.slice(start, end)
    span = Range(document.text.position_at(start), document.text.position_at(end))
    documents.change(document.uri, 2, [ContentChange("", span)])
    change = documents.change(document.uri, 3, [ContentChange(text, Range(span.start, span.start))])
    workspace.changed(document.uri, document.language_id, _view(document), change)


def _view(document: Document) -> TextView:
    return document.snapshot(Position(0, 0)).text
