"""Counts by day, in a small file of the user: numbers only, never text.

Several editors write the same file: each adds what it counted, under a lock, and replaces the file at once.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from lsp_server.paths import state_dir

FILE_NAME: Final = "stats.json"
VERSION: Final = 2
"""Of the file. Until 1, which had no number, `shown` counted what is `given` now, and `accepted_partly` also what was
accepted afterwards."""
OLD_NAMES: Final = {"shown": "given"}

MAX_DAYS: Final = 90
"""Older days are dropped."""
MAX_NAMES: Final = 1_024
"""Counts of one day; the smallest are dropped. Six histograms of 73 buckets and 24 languages of ten counts are less."""
MAX_FILE_BYTES: Final = 4 * 1_048_576
"""MAX_DAYS days of MAX_NAMES counts of 40 bytes."""
MAX_COUNT: Final = 2**53
"""No count comes near it, and every number up to it is exact where JSON is read."""
LOCK_TIMEOUT_S: Final = 1.0
"""Another editor holds the lock for milliseconds; beyond this the counts wait for the next flush."""

Days = dict[str, dict[str, int]]
"""Counts by ISO date."""


class NewerFileError(Exception):
    """The file was written by a newer program; the sentence is for people."""


def stats_file() -> Path:
    """The file of this user. Raises UnsafeFolderError."""
    return state_dir() / FILE_NAME


def _today() -> str:
    return date.today().isoformat()


class StatsFile:
    """Counts kept in memory until `flush` adds them to the file."""

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
            with _lock(self._path):
                days = read(self._path)
                for day, counts in self._pending.items():
                    known = Counter(days.get(day, {}))
                    known.update(counts)
                    days[day] = dict(known.most_common(MAX_NAMES))
                for old in sorted(days)[:-MAX_DAYS]:
                    del days[old]
                self._replace(days)
        except (OSError, Timeout, NewerFileError):
            for old in sorted(self._pending)[:-MAX_DAYS]:
                del self._pending[old]
            return False
        self._pending.clear()
        return True

    def _replace(self, days: Days) -> None:
        new = self._path.with_suffix(f".{os.getpid()}.new")
        try:
            new.write_text(json.dumps({"version": VERSION, "days": days}, separators=(",", ":")), encoding="utf-8")
            new.replace(self._path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                new.unlink()


def read(path: Path) -> Days:
    """The counts in `path`; none if there is no file or it is damaged. Raises NewerFileError."""
    try:
        with path.open("rb") as file:
            value = json.loads(file.read(MAX_FILE_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    days = value.get("days") if isinstance(value, dict) else None
    if not isinstance(days, dict):
        return {}
    version = value.get("version", 1)
    if isinstance(version, int) and version > VERSION:
        raise NewerFileError(f"{path} was written by a newer foretype-lsp; update this one to read and add to it.")
    names = OLD_NAMES if version == 1 else {}
    return {day: _counts(counts, names) for day, counts in days.items() if isinstance(counts, dict) and _is_day(day)}


def _is_day(name: str) -> bool:
    try:
        return date.fromisoformat(name).isoformat() == name
    except ValueError:
        return False


def _counts(counts: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, int]:
    sound = {name: number for name, number in counts.items() if type(number) is int and 0 <= number <= MAX_COUNT}
    return {names.get(name, name): number for name, number in sound.items()}


def reset(path: Path) -> bool:
    """Delete the file; False if there was none. Raises OSError or filelock.Timeout if that is not possible."""
    with _lock(path):
        there = path.exists()
        path.unlink(missing_ok=True)
    return there


def _lock(path: Path) -> FileLock:
    return FileLock(path.with_suffix(".lock"), timeout=LOCK_TIMEOUT_S)


def totals(days: Days) -> dict[str, int]:
    """The sum over all days."""
    total: Counter[str] = Counter()
    for counts in days.values():
        total.update(counts)
    return dict(total)


def recent(days: Days, number: int, today: str) -> Days:
    """The last `number` days up to `today` (ISO), of those that there are."""
    first = (date.fromisoformat(today) - timedelta(days=number - 1)).isoformat()
    return {day: counts for day, counts in sorted(days.items()) if first <= day <= today}
