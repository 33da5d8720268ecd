"""Foretype's document store against pygls's: a typed character, and the offset of a position, by size of file.

Both do the same edits in the same run, alternating between characters typed and erased in the middle of the
file, and must end with the same text. Each is given the changes in its own types, made beforehand. Beside them the
least that Python can do: a kept list of lines, in which one line is put together anew, with no regard to bounds,
encodings, line endings, undo or anybody who reads. Times are medians over runs, in milliseconds.

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
from lsp_server.pygls_adapter import change_from_lsp
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

KEYS_IN_A_ROW = 8
"""Characters typed before as many are erased, so that the file keeps its size."""


def keystrokes(place: Position) -> list[types.TextDocumentContentChangePartial]:
    """Typing some characters at the place and taking them back, one by one."""
    changes = []
    for number in range(KEYS_IN_A_ROW):
        at = types.Position(place.line, place.character + number)
        changes.append(types.TextDocumentContentChangePartial(types.Range(at, at), "a"))
    for number in reversed(range(KEYS_IN_A_ROW)):
        start = types.Position(place.line, place.character + number)
        end = types.Position(place.line, place.character + number + 1)
        changes.append(types.TextDocumentContentChangePartial(types.Range(start, end), ""))
    return changes


def time_each(operation: Callable[[], object], calls: int, seconds: float) -> float:
    """Milliseconds that each of an operation's `calls` takes, over the rounds that fit in the time (at least one)."""
    rounds, begun = 0, time.perf_counter()
    while True:
        operation()
        rounds += 1
        elapsed = time.perf_counter() - begun
        if elapsed >= seconds:
            return elapsed / rounds / calls * 1_000


def kept_list(lines: list[str], changes: list[tuple[Range, str]]) -> None:
    """The floor: the changes, each within one line, applied to a list of lines."""
    for (start, end), text in changes:
        line = lines[start.line]
        lines[start.line] = line[: start.character] + text + line[end.character :]


class Times(NamedTuple):
    """Milliseconds for one operation; the floor only where it has it."""

    ours: float
    theirs: float
    floor: float | None


def measure(case: Case, runs: int, seconds: float) -> dict[str, Times]:
    """What each operation takes on a file. Raises RuntimeError if the texts differ afterwards."""
    store = TextStore(case.text)
    documents = Documents(time.monotonic)
    document = documents.open(URI, "python", 1, case.text)
    theirs = TextDocument(URI, case.text, 1, "python")
    lines = case.text.splitlines(keepends=True)
    lsp_changes = keystrokes(case.place)
    contents = [change_from_lsp(change) for change in lsp_changes]
    changes = [(content.span, content.text) for content in contents if content.span is not None]

    def replace() -> None:
        apply = store.replace
        for span, text in changes:
            apply(span, text)

    def did_change() -> None:
        for content in contents:
            documents.change(URI, document.version + 1, [content])

    def apply_change() -> None:
        for change in lsp_changes:
            theirs.apply_change(change)

    def floor() -> None:
        kept_list(lines, changes)

    position = types.Position(*case.place)
    operations: dict[str, tuple[Callable[[], object], Callable[[], object], Callable[[], object] | None, int]] = {
        "apply a change": (replace, apply_change, floor, len(changes)),
        "… and note it, for undo and pacing": (did_change, apply_change, None, len(changes)),
        "offset of a position": (
            lambda: store.offset_at(case.place),
            lambda: theirs.offset_at_position(position),
            None,
            1,
        ),
    }
    medians = {}
    for name, (*pair, least, calls) in operations.items():
        timed = [*pair, least] if least else pair
        times = [[time_each(operation, calls, seconds) for operation in timed] for _ in range(runs)]
        columns = [statistics.median(column) for column in zip(*times, strict=True)]
        medians[name] = Times(columns[0], columns[1], columns[2] if least else None)
    if not str(store) == str(document.text) == theirs.source == case.text == "".join(lines):
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
    for heading in ("ours", "pygls", "ratio", "kept list", "its ratio"):
        table.add_column(heading, justify="right")
    for case in CASES:
        for name, (ours, theirs, floor) in measure(case, options.runs, options.seconds).items():
            least = ("", "") if floor is None else (f"{floor:.5f}", f"{theirs / floor:,.0f}×")
            table.add_row(case.name, name, f"{ours:.5f}", f"{theirs:.3f}", f"{theirs / ours:,.0f}×", *least)
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
