"""Foretype's document store against pygls's: a typed character, and the offset of a position, by size of file.

Both do the same edits in the same run, alternating between characters typed and erased in the middle of the
file, and must end with the same text. Times are medians over runs, in milliseconds.

    python -m benchmarks.document_store [--runs N] [--seconds S]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from lsprotocol import types
from pygls.workspace import TextDocument
from rich.console import Console
from rich.table import Table

from lsp_server.documents import Documents
from lsp_server.positions import Position, Range
from lsp_server.pygls_adapter import change_from_lsp, position_from_lsp
from lsp_server.text_store import TextStore

URI = "file:///benchmark.py"

LINE = "    result = combine(first_value, second_value, other_value)  # add\n"
"""67 characters, as a line of 661 KiB / 10,000 has."""


class Case(NamedTuple):
    """A file and the place where it is edited."""

    name: str
    text: str
    place: Position


CASES = [
    Case("1k lines", LINE * 1_000, Position(500, 20)),
    Case("10k lines", LINE * 10_000, Position(5_000, 20)),
    Case("50k lines", LINE * 50_000, Position(25_000, 20)),
    Case("one line of 1 MB", "x = 1; " * 142_857, Position(0, 500_000)),
]

KEYS_IN_A_ROW = 32
"""Characters typed before as many are erased: a line's length of typing, so that the file keeps its size."""


def keystrokes(place: Position) -> list[types.TextDocumentContentChangePartial]:
    """Typing a line's worth of characters at the place and taking them back, one by one."""
    changes = []
    for number in range(KEYS_IN_A_ROW):
        at = types.Position(place.line, place.character + number)
        changes.append(types.TextDocumentContentChangePartial(types.Range(at, at), "a"))
    for number in reversed(range(KEYS_IN_A_ROW)):
        start = types.Position(place.line, place.character + number)
        end = types.Position(place.line, place.character + number + 1)
        changes.append(types.TextDocumentContentChangePartial(types.Range(start, end), ""))
    return changes


def time_each(operation: Callable[[], object], seconds: float) -> float:
    """Milliseconds one call takes, over as many as fit in the time (at least one)."""
    calls, begun = 0, time.perf_counter()
    while True:
        operation()
        calls += 1
        elapsed = time.perf_counter() - begun
        if elapsed >= seconds:
            return elapsed / calls * 1_000


class Typist:
    """Applies the keystrokes one by one, over and over."""

    def __init__(self, apply: Callable[[types.TextDocumentContentChangePartial], object], place: Position) -> None:
        self._apply = apply
        self._changes = keystrokes(place)
        self.done = 0

    def press(self) -> None:
        """The next keystroke."""
        self._apply(self._changes[self.done % len(self._changes)])
        self.done += 1

    def finish(self) -> None:
        """Go on until all that was typed is erased again."""
        while self.done % len(self._changes):
            self.press()


def measure(case: Case, runs: int, seconds: float) -> dict[str, tuple[float, float]]:
    """Milliseconds (ours, pygls's) for each operation on a file. Raises RuntimeError if the texts differ."""
    store = TextStore(case.text)
    documents = Documents(time.monotonic)
    document = documents.open(URI, "python", 1, case.text)
    theirs = TextDocument(URI, case.text, 1, "python")

    def replace(change: types.TextDocumentContentChangePartial) -> None:
        span = Range(position_from_lsp(change.range.start), position_from_lsp(change.range.end))
        store.replace(span, change.text)

    def did_change(change: types.TextDocumentContentChangePartial) -> None:
        documents.change(URI, document.version + 1, [change_from_lsp(change)])

    at_store, at_document, at_theirs = (
        Typist(apply, case.place) for apply in (replace, did_change, theirs.apply_change)
    )
    position = types.Position(*case.place)
    operations: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "apply a change": (at_store.press, at_theirs.press),
        "… and note it, for undo and pacing": (at_document.press, at_theirs.press),
        "offset of a position": (
            lambda: store.offset_at(position_from_lsp(position)),
            lambda: theirs.offset_at_position(position),
        ),
    }
    medians = {}
    for name, pair in operations.items():
        times = [[time_each(operation, seconds) for operation in pair] for _ in range(runs)]
        ours, other = (statistics.median(column) for column in zip(*times, strict=True))
        medians[name] = (ours, other)
    for typist in (at_store, at_document, at_theirs):
        typist.finish()
    if not str(store) == str(document.text) == theirs.source == case.text:
        raise RuntimeError(f"The stores disagree on {case.name} after the same edits.")
    return medians


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.document_store", description=(__doc__ or "").strip())
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--runs", type=int, default=7, help="runs of which the median is taken (default: 7)")
    parser.add_argument("--seconds", type=float, default=0.05, help="time given to each run (default: 0.05)")
    options = parser.parse_args(arguments)
    if options.runs < 1 or options.seconds <= 0:
        parser.error("--runs must be at least 1 and --seconds more than 0.")

    table = Table(title="Document store: ours and pygls's, medians in milliseconds")
    for heading in ("document", "operation"):
        table.add_column(heading)
    for heading in ("ours", "pygls", "ratio"):
        table.add_column(heading, justify="right")
    for case in CASES:
        for name, (ours, theirs) in measure(case, options.runs, options.seconds).items():
            table.add_row(case.name, name, f"{ours:.4f}", f"{theirs:.3f}", f"{theirs / ours:,.0f}×")
    Console(width=None if sys.stdout.isatty() else 100).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
