"""What a folder of very many files costs: time and memory of its index, and what a key waits for meanwhile.

A person types at uneven intervals. Blocks of keys with the index at work and with the index held alternate, so that
both meet the same machine. A key's time is from the moment it was due, waiting for Python's lock among it, to its
context's parts; `own` is the same without what it waited for a processor that other programs had.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
from rich.table import Table

from benchmarks.client.scoring import quantile
from benchmarks.context.large_folder import generate, module
from benchmarks.context.run_queue import queued_s
from lsp_server.anchor import Anchor
from lsp_server.ask import Ask
from lsp_server.documents import ContentChange, Document, Documents
from lsp_server.positions import Position, PositionEncoding, Range
from lsp_server.workspace.service import Workspace

BLOCKS: Final = 16
"""With the index at work; as many with it held, and as many without any workspace."""
KEYS: Final = 50
"""Of a block."""
KEY_S: Final = (0.03, 0.12)
"""Seconds between keys, at random: 13 a second, a very fast typist."""
GATHERS_EVERY: Final = 5
"""Keys after which the anchor is moved and everything gathered anew; in earnest it is 40 or more."""
OPEN_FILES: Final = 20
LONGEST_S: Final = 900.0
"""Seconds after which the index is said not to have come to its end."""
SEED: Final = 20_261_121


@dataclass
class Times:
    """Milliseconds of keys, of the same without the machine's queue, and of the gathering where there was one."""

    keys: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    gathers: list[float] = field(default_factory=list)

    def to_json(self) -> dict[str, float]:
        """Median, 99th percentile and longest."""
        figures = {"keys": float(len(self.keys))}
        for name, values in (("key", self.keys), ("own", self.own), ("gather", self.gathers)):
            figures[f"{name}_p50_ms"] = quantile(values, 0.5) if values else 0.0
            figures[f"{name}_p99_ms"] = quantile(values, 0.99) if values else 0.0
            figures[f"{name}_max_ms"] = max(values, default=0.0)
        return figures


class Typing:
    """A person who types in one file with others open."""

    def __init__(self, root: Path, workspace: Workspace) -> None:
        self._workspace = workspace
        self._documents = Documents(time.monotonic, PositionEncoding.UTF32)
        self._random = random.Random(SEED)
        paths = [module(root, number) for number in range(OPEN_FILES)]
        opened = [self._open(path) for path in paths if path.exists()]
        self._document = opened[0]
        self._anchor = Anchor()
        self._keys = 0

    def _open(self, path: Path) -> Document:
        document = self._documents.open(path.as_uri(), "python", 1, path.read_text("utf-8"))
        self._workspace.opened(document.uri, "python", document.snapshot(Position(0, 0)).text)
        return document

    def block(self, times: Times, count: int, *, without: bool = False) -> None:
        """Type so many keys; `without` the workspace a key is what it was before there was one."""
        due = time.perf_counter()
        for _ in range(count):
            due += self._random.uniform(*KEY_S)
            queued = queued_s()
            time.sleep(max(0.0, due - time.perf_counter()))
            gathering = self._key(without=without)
            ended = time.perf_counter()
            times.keys.append(1_000 * (ended - due))
            times.own.append(1_000 * max(0.0, ended - due - (queued_s() - queued)))
            if gathering is not None:
                times.gathers.append(gathering)
            due = max(due, ended)

    def _key(self, *, without: bool) -> float | None:
        """One key, and what the gathering took if everything was gathered anew."""
        document, number = self._document, self._keys
        self._keys += 1
        line = document.text.line_count - 2
        at = Position(line, 4)
        change = self._documents.change(document.uri, number + 2, [ContentChange("x", Range(at, at))])
        self._anchor.changed(change)
        snapshot = document.snapshot(Position(line, 5 + number % 40))
        if without:
            self._anchor.place(snapshot)
            return None
        self._workspace.changed(document.uri, "python", snapshot.text, change)
        place = self._anchor.place(snapshot)
        anew = number % GATHERS_EVERY == 0
        if anew:
            self._workspace.moved_away(document.uri)
        queued, began = queued_s(), time.perf_counter()
        self._workspace.surroundings(Ask(snapshot, "group_0/team_0/module_0.py"), place)
        took = time.perf_counter() - began
        return 1_000 * max(0.0, took - (queued_s() - queued)) if anew else None


@contextmanager
def held(workspace: Workspace) -> Iterator[None]:
    """The index does nothing meanwhile."""
    step = workspace.indexer.step
    setattr(workspace.indexer, "step", lambda: False)  # noqa: B010 (mypy: a method is replaced)
    try:
        yield
    finally:
        setattr(workspace.indexer, "step", step)  # noqa: B010
        workspace.wake()


def measure(files: int, blocks: int = BLOCKS) -> dict[str, Any]:
    """All figures. Takes six minutes for 100,000 files: one to write the files, three to type, one for the rest."""
    process = psutil.Process()
    with tempfile.TemporaryDirectory(prefix="ft-monorepo-") as folder:
        root = Path(folder)
        generate(root, files)
        before = process.memory_info().rss
        workspace = Workspace(lambda path, text: True)
        workspace.set_roots([root.as_uri()])
        typing = Typing(root, workspace)
        working, idle, without = Times(), Times(), Times()
        workspace.start()
        for _ in range(blocks):
            typing.block(working, KEYS)
            with held(workspace):
                typing.block(idle, KEYS)
                typing.block(without, KEYS, without=True)
        still = workspace.indexer.is_scanning
        known = sum(map(len, workspace.indexer.indexes.values()))
        began = time.perf_counter()
        while workspace.indexer.is_scanning and time.perf_counter() - began < LONGEST_S:
            time.sleep(0.05)
        rest_s = time.perf_counter() - began
        memory = process.memory_info().rss - before
        complete = not workspace.indexer.is_scanning
        index = next(iter(workspace.indexer.indexes.values()))
        workspace.close()
    return {
        "files": files,
        "indexed": len(index),
        "complete": complete,
        "read_bytes": workspace.indexer.read_bytes,
        "known_when_typing_ended": known,
        "working_all_the_while": still,
        "rest_s": round(rest_s, 1),
        "index_bytes": index.bytes_used,
        "memory_grown_bytes": memory,
        "index_at_work": working.to_json(),
        "index_held": idle.to_json(),
        "without": without.to_json(),
    }


def table(figures: dict[str, Any]) -> Table:
    """For people."""
    shown = Table(title=f"A folder of {figures['files']:,} files", title_justify="left")
    for name in ("", "index at work", "index held", "without workspace"):
        shown.add_column(name, justify="left" if not name else "right")
    for name in figures["without"]:
        shown.add_row(name, *(f"{figures[when][name]:.2f}" for when in ("index_at_work", "index_held", "without")))
    typed = f"{figures['known_when_typing_ended']:,}"
    shown.add_row("files known when the typing ended", typed)
    shown.add_row("then, without typing, to the end, s", f"{figures['rest_s']}")
    shown.add_row("files known, bytes read", f"{figures['indexed']:,}", f"{figures['read_bytes']:,}")
    shown.add_row("index, MB", f"{figures['index_bytes'] / 1e6:.1f}")
    shown.add_row("process grown by, MB", f"{figures['memory_grown_bytes'] / 1e6:.1f}")
    return shown
