"""The contexts that are compared: each kind of workspace context alone, all of them, and none."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.context.packages import opened, visit
from benchmarks.context.run_queue import queued_s
from benchmarks.quality.cursors import Cursor
from benchmarks.quality.held_out import Record
from lsp_server.context import build_context
from lsp_server.workspace.budgets import Kind, Limits
from lsp_server.workspace.choose import KINDS
from lsp_server.workspace.file_index import FileIndex
from lsp_server.workspace.parts import Part, Surroundings
from lsp_server.workspace.service import Workspace
from wire_protocol.frames import Context, Snippet

NONE: Final = "none"
NO_PATH: Final = "none, no path"
ALL: Final = "all"
VARIANTS: Final[dict[str, frozenset[Kind]]] = {
    NONE: frozenset(),
    NO_PATH: frozenset(),
    **{kind: frozenset({kind}) for kind in KINDS},
    "all but edits": frozenset(KINDS) - {"edits"},
    ALL: frozenset(KINDS),
}
"""Names and the kinds of snippets in each; `none` is compared with."""
COPY: Final = "(a copy of the place)"
"""A control: the only snippet holds the very lines that are to be written. A model that gains little from it does not
use snippets, whatever is chosen."""
COPIED_LINES: Final = 8
"""Above and below the cursor's."""


@dataclass(frozen=True)
class Made:
    """One cursor's context in one variant, and what making it took."""

    context: Context
    gathered_ms: float
    """Without what other programs took of the machine meanwhile."""
    snippets_bytes: int


def workspace_of(root: Path, limits: Limits, indexes: dict[Path, FileIndex]) -> Workspace:
    """A package's workspace with nothing open; the package is looked through once, for all cursors in it."""
    workspace = Workspace(lambda path, text: True, limits=lambda: limits, clock=lambda: 0.0)
    if root in indexes:
        workspace.indexer.indexes[root] = indexes[root]
    workspace.set_roots([root.as_uri()])
    workspace.work(1.0)
    indexes[root] = workspace.indexer.indexes[root]
    return workspace


def make(
    root: Path, cursor: Cursor, group: Sequence[Record], limits: Limits, indexes: dict[Path, FileIndex]
) -> dict[str, Made]:
    """The contexts of a cursor as the language server would send them; `indexes` keeps those of the packages."""
    workspace = workspace_of(root, limits, indexes)
    ask, place = visit(workspace, root, cursor, opened(cursor, group))
    found: dict[str, Made] = {}
    for name, kinds in VARIANTS.items():
        workspace.kinds = kinds
        workspace.moved_away(ask.snapshot.uri)
        queued, began = queued_s(), time.perf_counter()
        surroundings = workspace.surroundings(ask, place)
        took = time.perf_counter() - began - (queued_s() - queued)
        context = build_context(ask.snapshot, place, "" if name == NO_PATH else cursor.record.path, surroundings)
        found[name] = Made(context, 1_000 * max(0.0, took), _size(context))
    copied = build_context(ask.snapshot, place, cursor.record.path, Surroundings((_copy(cursor),)))
    found[COPY] = Made(copied, 0.0, _size(copied))
    return found


def _size(context: Context) -> int:
    return sum(len(snippet.text.encode()) + len(snippet.path.encode()) for snippet in context.snippets)


def _copy(cursor: Cursor) -> Part:
    lines = cursor.record.text.split("\n")
    at = cursor.record.text.count("\n", 0, cursor.start)
    text = "\n".join(lines[max(0, at - COPIED_LINES) : at + COPIED_LINES + 1]) + "\n"
    return Part("similar", Snippet(path=f"copy/{cursor.record.path}", text=text), at + 1, at + 1, 1.0, "a control")


def with_snippets(context: Context, made: Context) -> Context:
    """`context` of a person further on in the same hole, with the snippets that are frozen meanwhile."""
    return Context(
        before=context.before,
        typed=context.typed,
        tail=context.tail,
        after=context.after,
        snippets=made.snippets,
        path=context.path,
        language=context.language,
    )
