"""What a folder of very many files costs: time and memory of its index, and what a key waits for meanwhile."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import psutil
from rich.table import Table

from benchmarks.context.report import quantile
from lsp_server.anchor import Anchor
from lsp_server.ask import Ask
from lsp_server.documents import ContentChange, Document, Documents
from lsp_server.positions import Position, PositionEncoding, Range
from lsp_server.workspace.service import Workspace

FILES_IN_FOLDER: Final = 50
KEYS: Final = 600
KEY_S: Final = 0.02
"""Seconds between keys: 50 a second, faster than anyone, so that many fall among the index's work."""
GATHERS_EVERY: Final = 5
"""Keys after which the anchor is moved and everything gathered anew; in earnest it is 40 or more."""
OPEN_FILES: Final = 20
LONGEST_S: Final = 900.0
"""Seconds after which the index is said not to have come to its end."""

_MODULE: Final = '''\
"""Module {number} of team {team}."""

from team_{other}.module_{near} import Record{near}, load_{near}

LIMIT_{number} = {number}


class Record{number}:
    """One record."""

    def __init__(self, key: str, value: int) -> None:
        self.key = key
        self.value = value

    def merge(self, other: "Record{number}", *, limit: int = LIMIT_{number}) -> int:
        return min(self.value + other.value, limit)


def load_{number}(path: str, retries: int = 3) -> list[Record{number}]:
    records = []
    for line in open(path):
        key, _, value = line.partition("=")
        records.append(Record{number}(key.strip(), int(value)))
    return records
'''


def generate(root: Path, files: int) -> None:
    """`files` Python files of about 700 bytes."""
    for number in range(files):
        team = number // FILES_IN_FOLDER
        folder = root / f"group_{team // 100}" / f"team_{team}"
        if number % FILES_IN_FOLDER == 0:
            folder.mkdir(parents=True)
        near = number + 1 if number % FILES_IN_FOLDER < FILES_IN_FOLDER - 1 else number - 1
        text = _MODULE.format(number=number, team=team, other=team, near=near)
        (folder / f"module_{number}.py").write_text(text, encoding="utf-8")


class Typing:
    """A person who types in one file with others open; each key is timed from its change to its context's parts."""

    def __init__(self, root: Path, workspace: Workspace) -> None:
        self._workspace = workspace
        self._documents = Documents(time.monotonic, PositionEncoding.UTF32)
        paths = [root / "group_0" / "team_0" / f"module_{number}.py" for number in range(OPEN_FILES)]
        opened = [self._open(path) for path in paths if path.exists()]
        self._document = opened[0]

    def _open(self, path: Path) -> Document:
        document = self._documents.open(path.as_uri(), "python", 1, path.read_text("utf-8"))
        self._workspace.opened(document.uri, "python", document.snapshot(Position(0, 0)).text)
        return document

    def keys(self, count: int, *, without: bool = False) -> dict[str, float]:
        """Milliseconds: a key's own time, and the gathering's where there was one; 99th percentile and the longest.

        `without` the workspace a key is what it was before there was one.
        """
        anchor = Anchor()
        spent: list[float] = []
        gathered: list[float] = []
        document = self._document
        line = document.text.line_count - 2
        at = Position(line, 4)
        for number in range(count):
            time.sleep(KEY_S)
            began = time.perf_counter()
            change = self._documents.change(document.uri, number + 2, [ContentChange("x", Range(at, at))])
            anchor.changed(change)
            snapshot = document.snapshot(Position(line, 5 + number % 40))
            if without:
                anchor.place(snapshot)
                spent.append(1_000 * (time.perf_counter() - began))
                continue
            self._workspace.changed(document.uri, "python", snapshot.text, change)
            ask, place = Ask(snapshot, "group_0/team_0/module_0.py"), anchor.place(snapshot)
            if number % GATHERS_EVERY == 0:
                self._workspace.closed(document.uri)  # forgets what was frozen
            before = time.perf_counter()
            self._workspace.surroundings(ask, place)
            ended = time.perf_counter()
            spent.append(1_000 * (ended - began))
            if number % GATHERS_EVERY == 0:
                gathered.append(1_000 * (ended - before))
        return {
            "key_p50_ms": quantile(spent, 0.5),
            "key_p99_ms": quantile(spent, 0.99),
            "key_max_ms": max(spent),
            "gather_p99_ms": quantile(gathered, 0.99) if gathered else 0.0,
            "gather_max_ms": max(gathered, default=0.0),
        }


def measure(files: int) -> dict[str, Any]:
    """All figures. Takes a minute for 100,000 files, most of it to write them."""
    process = psutil.Process()
    with tempfile.TemporaryDirectory(prefix="ft-monorepo-") as folder:
        root = Path(folder)
        generate(root, files)
        before = process.memory_info().rss
        workspace = Workspace(lambda path, text: True)
        workspace.set_roots([root.as_uri()])
        typing = Typing(root, workspace)
        began = time.perf_counter()
        workspace.start()
        during = typing.keys(KEYS)
        while workspace.indexer.is_scanning and time.perf_counter() - began < LONGEST_S:
            time.sleep(0.05)
        index_s = time.perf_counter() - began
        memory = process.memory_info().rss - before
        after = typing.keys(KEYS)
        without = typing.keys(KEYS, without=True)
        index = next(iter(workspace.indexer.indexes.values()))
        workspace.close()
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1_024)
    return {
        "files": files,
        "indexed": len(index),
        "read_bytes": workspace.indexer.read_bytes,
        "index_s": round(index_s, 1),
        "index_bytes": index.bytes_used,
        "memory_grown_bytes": memory,
        "memory_peak_bytes": usage,
        "while_indexing": during,
        "idle": after,
        "without": without,
    }


def table(figures: dict[str, Any]) -> Table:
    """For people."""
    shown = Table(title=f"A folder of {figures['files']:,} files", title_justify="left")
    shown.add_column("")
    shown.add_column("while indexing", justify="right")
    shown.add_column("indexed", justify="right")
    shown.add_column("without workspace", justify="right")
    for name in figures["idle"]:
        shown.add_row(name, *(f"{figures[when][name]:.2f}" for when in ("while_indexing", "idle", "without")))
    shown.add_row("index time, s (typing for the first 12 s)", "", f"{figures['index_s']}")
    shown.add_row("files known", "", f"{figures['indexed']:,}")
    shown.add_row("bytes read", "", f"{figures['read_bytes']:,}")
    shown.add_row("index, MB", "", f"{figures['index_bytes'] / 1e6:.1f}")
    shown.add_row("process grown by, MB", "", f"{figures['memory_grown_bytes'] / 1e6:.1f}")
    return shown
