"""What one gathering takes with as many and as long files open as are ever kept, at very many places; no model."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from benchmarks.client.scoring import quantile
from benchmarks.context.packages import written
from benchmarks.context.run_queue import queued_s
from benchmarks.errors import BenchError
from benchmarks.quality.held_out import Record
from lsp_server.anchor import Move, Place
from lsp_server.ask import Ask
from lsp_server.documents import Documents
from lsp_server.positions import Position, PositionEncoding
from lsp_server.workspace.budgets import Limits
from lsp_server.workspace.eligible import MAX_FILE_BYTES
from lsp_server.workspace.recent import MAX_RECENT
from lsp_server.workspace.service import Workspace

GATHERS: Final = 2_400
LANGUAGE: Final = "python"
LIMITS: Final = {"local": Limits("local"), "edge": Limits("edge", 32_768)}


def measure(records: Sequence[Record], gathers: int, seed: int) -> dict[str, Any]:
    """Milliseconds for each place of `LIMITS`: own time (less what other programs took) and by the clock.

    Raises:
        BenchError: the records have no file of the language.
    """
    usable = [each for each in records if each.language == LANGUAGE and len(each.text) <= MAX_FILE_BYTES]
    largest = sorted(usable, key=lambda each: (-len(each.text), each.package, each.path))[:MAX_RECENT]
    if not largest:
        raise BenchError(f"The held-out file has no {LANGUAGE} file: make it with `python -m training.corpus`.")
    figures: dict[str, Any] = {"files": len(largest), "characters": sum(len(each.text) for each in largest)}
    with tempfile.TemporaryDirectory(prefix="ft-gathers-") as folder:
        written(largest, Path(folder))
        for place, limits in LIMITS.items():
            figures[place] = _timed(Path(folder), largest, limits, gathers, seed)
    return figures


def _timed(root: Path, files: Sequence[Record], limits: Limits, gathers: int, seed: int) -> dict[str, float]:
    documents = Documents(time.monotonic, PositionEncoding.UTF32)
    workspace = Workspace(lambda path, text: True, limits=lambda: limits)
    workspace.set_roots([root.as_uri()])
    opened = []
    for number, record in enumerate(files):
        uri = (root / f"{number}_{Path(record.path).name}").as_uri()
        document = documents.open(uri, record.language, 1, record.text)
        workspace.opened(uri, record.language, document.snapshot(Position(0, 0)).text)
        opened.append(document)
    workspace.work(60.0)
    drawn, own, clock, given = random.Random(seed), [], [], 0
    for _ in range(gathers):
        document = drawn.choice(opened)
        start = document.text.line_offset(drawn.randrange(document.text.line_count))
        ask = Ask(document.snapshot(document.text.position_at(start)), Path(document.uri).name)
        workspace.moved_away(document.uri)
        queued, began = queued_s(), time.perf_counter()
        given += bool(workspace.surroundings(ask, Place(start, start, start, Move.TYPED)).parts)
        took = time.perf_counter() - began
        clock.append(1_000 * took)
        own.append(1_000 * max(0.0, took - (queued_s() - queued)))
    return {
        "gathers": gathers,
        "with_parts": given / gathers,
        "own_p50_ms": quantile(own, 0.5),
        "own_p99_ms": quantile(own, 0.99),
        "own_max_ms": max(own),
        "clock_p50_ms": quantile(clock, 0.5),
        "clock_p99_ms": quantile(clock, 0.99),
    }


def table(figures: dict[str, Any]) -> Table:
    """For people."""
    title = f"Gathering with {figures['files']} files of {figures['characters']:,} characters open"
    shown = Table(title=title, title_justify="left")
    names = list(figures["local"])
    for name in ("budget", *names):
        shown.add_column(name.replace("_", " "), justify="right")
    for place in LIMITS:
        shown.add_row(place, *(f"{figures[place][name]:,.4g}" for name in names))
    return shown
