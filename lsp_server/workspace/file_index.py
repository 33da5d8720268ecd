"""Which files there are, and in which of them a name may be defined: eight bytes a name, so that large trees fit; pure.

Names are kept as 32-bit hashes beside the number of their file, in sorted runs. A hash may be another name's: what is
found is looked at again by whoever reads the file.
"""

from __future__ import annotations

import posixpath
from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import Final
from zlib import crc32

RUN: Final = 4_096
"""Entries of a sorted run: sorting one takes a millisecond."""
MAX_FILES: Final = 200_000
"""Of one workspace folder: 25 MB of paths."""
MAX_NAMES: Final = 1_000_000
"""8 MB."""
MAX_FOUND: Final = 64
"""Files given for one name: a name in more of them tells nothing."""

_LOW: Final = 0xFFFF_FFFF


class FileIndex:
    """The files of one workspace folder, by relative path with forward slashes. Used from one thread."""

    def __init__(self) -> None:
        self._paths: list[str | None] = []
        self._runs: list[array[int]] = []
        self._fresh: list[int] = []
        self._names = 0
        self.removed = 0
        """Files that are gone, whose numbers are not used again."""

    def __len__(self) -> int:
        return len(self._paths) - self.removed

    @property
    def is_full(self) -> bool:
        """Whether no further file is taken."""
        return len(self._paths) >= MAX_FILES

    @property
    def bytes_used(self) -> int:
        """Of paths and names, about."""
        paths = sum(57 + len(path) for path in self._paths if path is not None)
        return paths + 8 * len(self._paths) + sum(8 * len(run) for run in self._runs) + 36 * len(self._fresh)

    def add(self, path: str, names: Iterable[str] = (), *, known: bool = True) -> None:
        """A file that is there, and the names it defines; in place of what was known of it.

        With `known` False it is surely not there yet: looking for it would take as long as all else, in a large folder.
        """
        if self.is_full:
            return
        if known:
            self.remove(path)
        number = len(self._paths)
        self._paths.append(path)
        self._put(f"stem {_stem(path)}", number)
        self._put(f"folder {posixpath.basename(posixpath.dirname(path))}", number)
        self.define(number, names)

    def define(self, number: int, names: Iterable[str]) -> None:
        """Names that the file of this number defines."""
        for name in names:
            if self._names >= MAX_NAMES:
                return
            self._names += 1
            self._put(f"name {name}", number)

    def remove(self, path: str) -> None:
        """A file that is gone."""
        for number in self._numbers(f"stem {_stem(path)}"):
            if self._paths[number] == path:
                self._paths[number] = None
                self.removed += 1

    def files_named(self, stem: str) -> list[str]:
        """Files of this name without its extension; a package's `__init__`, `mod` or `index` is found by itself."""
        return [path for path in self._found(f"stem {stem}") if _stem(path) == stem]

    def files_in(self, folder: str) -> list[str]:
        """Files right in any folder of this name."""
        found = self._found(f"folder {folder}")
        return [path for path in found if posixpath.basename(posixpath.dirname(path)) == folder]

    def files_defining(self, name: str) -> list[str]:
        """Files that may define a name."""
        return self._found(f"name {name}")

    def _put(self, key: str, number: int) -> None:
        insort(self._fresh, _hash(key) << 32 | number)
        if len(self._fresh) >= RUN:
            self._runs.append(array("Q", self._fresh))
            self._fresh = []

    def _numbers(self, key: str) -> list[int]:
        low = _hash(key) << 32
        numbers: list[int] = []
        for run in (*self._runs, self._fresh):
            at = bisect_left(run, low)
            while at < len(run) and run[at] <= low | _LOW and len(numbers) < MAX_FOUND * 4:
                numbers.append(run[at] & _LOW)
                at += 1
        return numbers

    def _found(self, key: str) -> list[str]:
        paths = (self._paths[number] for number in self._numbers(key))
        return list(dict.fromkeys(path for path in paths if path is not None))[:MAX_FOUND]


def _stem(path: str) -> str:
    return posixpath.basename(path).partition(".")[0]


def _hash(key: str) -> int:
    return crc32(key.encode("utf-8", "replace"))
