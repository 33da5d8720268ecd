"""Counts of what became of suggestions, by day, in a small file of the user; never text.

Several editors write the same file: each adds what it counted, under a lock, and replaces the file at once.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from lsp_server.paths import state_dir

FILE_NAME: Final = "stats.json"
MAX_DAYS: Final = 90
"""Older days are dropped."""
MAX_COUNTERS: Final = 64
MAX_FILE_BYTES: Final = 1_048_576
LOCK_TIMEOUT_S: Final = 1.0
"""Another editor holds the lock for milliseconds; beyond this the counts wait for the next flush."""

Days = dict[str, dict[str, int]]
"""Counters by ISO date."""


def stats_file() -> Path:
    """The counters file of this user. Raises UnsafeFolderError."""
    return state_dir() / FILE_NAME


def _today() -> str:
    return date.today().isoformat()


class StatsFile:
    """Counters kept in memory until `flush` adds them to the file."""

    def __init__(self, path: Path, today: Callable[[], str] = _today) -> None:
        self._path = path
        self._today = today
        self._pending: dict[str, Counter[str]] = {}

    def add(self, counts: Mapping[str, int]) -> None:
        """Count now; written by the next `flush`."""
        self._pending.setdefault(self._today(), Counter()).update(counts)

    def flush(self) -> bool:
        """Add what was counted to the file; False if that is not possible now, and the counts are kept."""
        if not self._pending:
            return True
        try:
            with FileLock(self._path.with_suffix(".lock"), timeout=LOCK_TIMEOUT_S):
                days = read(self._path)
                for day, counts in self._pending.items():
                    known = Counter(days.get(day, {}))
                    known.update(counts)
                    days[day] = dict(known.most_common(MAX_COUNTERS))
                for old in sorted(days)[:-MAX_DAYS]:
                    del days[old]
                self._replace(days)
        except (OSError, Timeout):
            return False
        self._pending.clear()
        return True

    def _replace(self, days: Days) -> None:
        new = self._path.with_suffix(f".{os.getpid()}.new")
        try:
            new.write_text(json.dumps({"days": days}, indent=1), encoding="utf-8")
            new.replace(self._path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                new.unlink()


def read(path: Path) -> Days:
    """The counters in `path`; none if there is no file or it is damaged."""
    try:
        with path.open("rb") as file:
            value = json.loads(file.read(MAX_FILE_BYTES))
    except (OSError, ValueError):
        return {}
    days = value.get("days") if isinstance(value, dict) else None
    if not isinstance(days, dict):
        return {}
    return {
        str(day): {str(name): number for name, number in counts.items() if type(number) is int}
        for day, counts in days.items()
        if isinstance(counts, dict)
    }


def totals(days: Days) -> dict[str, int]:
    """The sum over all days."""
    total: Counter[str] = Counter()
    for counts in days.values():
        total.update(counts)
    return dict(total)


def run(argv: list[str]) -> int:
    """`foretype-lsp stats`: print the counters; the process's exit code."""
    import argparse

    parser = argparse.ArgumentParser(prog="foretype-lsp stats", description="What became of suggestions, by day.")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    options = parser.parse_args(argv)
    days = read(stats_file())
    if options.json:
        print(json.dumps({"days": days, "total": totals(days)}, indent=1))
        return 0
    if not days:
        print("Nothing was counted yet: open a file in an editor that uses foretype-lsp.")
        return 0
    _print_table(days)
    return 0


def _print_table(days: Days) -> None:
    from rich.console import Console
    from rich.table import Table

    total = totals(days)
    names = sorted(total)
    table = Table("day", *names)
    for day in sorted(days):
        table.add_row(day, *(str(days[day].get(name, 0)) for name in names))
    table.add_section()
    table.add_row("total", *(str(total[name]) for name in names))
    Console().print(table)
