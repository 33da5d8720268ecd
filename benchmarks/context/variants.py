"""The contexts that are compared: each kind of workspace context alone, all of them, and none."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.context.packages import opened, visit
from benchmarks.quality.cursors import Cursor
from benchmarks.quality.held_out import Record
from lsp_server.context import build_context
from lsp_server.workspace.budgets import Kind, Limits
from lsp_server.workspace.choose import KINDS
from lsp_server.workspace.file_index import FileIndex
from lsp_server.workspace.service import Workspace
from wire_protocol.frames import Context

NONE: Final = "none"
NO_PATH: Final = "none, no path"
ALL: Final = "all"
VARIANTS: Final[dict[str, frozenset[Kind]]] = {
    NONE: frozenset(),
    NO_PATH: frozenset(),
    **{kind: frozenset({kind}) for kind in KINDS},
    ALL: frozenset(KINDS),
}
"""Names and the kinds of snippets in each; `none` is compared with."""


@dataclass(frozen=True)
class Made:
    """One cursor's context in one variant, and what making it took."""

    context: Context
    gathered_ms: float
    cpu_ms: float
    """Of the gathering: without what other programs took of the machine meanwhile."""
    snippets_bytes: int


def workspace_of(root: Path, kinds: frozenset[Kind], limits: Limits, indexes: dict[Path, FileIndex]) -> Workspace:
    """A package's workspace with nothing open; the package is looked through once, for all cursors in it."""
    workspace = Workspace(lambda path, text: True, limits=lambda: limits, kinds=kinds, clock=lambda: 0.0)
    if root in indexes:
        workspace.indexer.indexes[root] = indexes[root]
    workspace.set_roots([root.as_uri()])
    workspace.work(1.0)
    indexes[root] = workspace.indexer.indexes[root]
    return workspace


def make(
    variant: str, root: Path, cursor: Cursor, group: Sequence[Record], limits: Limits, indexes: dict[Path, FileIndex]
) -> Made:
    """The context of a cursor as the language server would send it; `indexes` keeps those of the packages."""
    workspace = workspace_of(root, VARIANTS[variant], limits, indexes)
    ask, place = visit(workspace, root, cursor, opened(cursor, group))
    began, cpu = time.perf_counter(), time.thread_time()
    found = workspace.surroundings(ask, place)
    cpu_ms, gathered_ms = 1_000 * (time.thread_time() - cpu), 1_000 * (time.perf_counter() - began)
    path = "" if variant == NO_PATH else cursor.record.path
    context = build_context(ask.snapshot, place, path, found)
    size = sum(len(snippet.text.encode()) + len(snippet.path.encode()) for snippet in context.snippets)
    return Made(context, gathered_ms, cpu_ms, size)


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
