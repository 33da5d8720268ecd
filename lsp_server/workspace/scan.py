"""Walks a workspace folder one entry at a time, so that whoever walks can pause at any; links are never followed."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lsp_server.privacy.ignore_files import IgnoreFiles, Rules
from lsp_server.workspace.eligible import worth_indexing

SKIPPED: Final = frozenset({
    "node_modules", "bower_components", "__pycache__", "site-packages", "venv", "virtualenv", "env", "target",
    "dist", "build", "out", "vendor", "third_party", "Pods", "DerivedData", "coverage",
})  # fmt: skip
"""Folders of others' code or of what tools make, also where no ignore file says so. Hidden ones are skipped too."""
MAX_DEPTH: Final = 32
"""Folders below one another."""
MAX_FOLDERS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Found:
    """A file of code; its path is relative to the root, with forward slashes."""

    path: str
    size: int


def walk(root: Path, is_ignored: Callable[[str], bool] = lambda path: False) -> Iterator[Found | None]:
    """The files of code below a folder, the upper ones first; None for each entry that is none, as a place to pause.

    `is_ignored` is asked of each path beside the ignore files. What cannot be read is left out.
    """
    files = ignore_files()
    waiting: deque[tuple[str, Rules]] = deque([("", files.rules(str(root)))])
    folders = 0
    while waiting and folders < MAX_FOLDERS:
        folder, rules = waiting.popleft()
        folders += 1
        yield None
        try:
            entries = os.scandir(root / folder)
        except OSError:
            continue
        with entries:
            for entry in _readable(entries):
                path = folder + entry.name
                if _is_folder(entry):
                    skipped = entry.name in SKIPPED or entry.name.startswith(".") or path.count("/") >= MAX_DEPTH
                    if not (skipped or rules.ignored(entry.name, folder=True) or is_ignored(f"{path}/")):
                        waiting.append((f"{path}/", files.below(rules, entry.name)))
                    yield None
                else:
                    size = _size(entry, path)
                    unwanted = size is None or rules.ignored(entry.name, folder=False) or is_ignored(path)
                    yield None if unwanted or size is None else Found(path, size)


def ignore_files() -> IgnoreFiles:
    """The ignore files as they are now, each read once: for one walk, or one question."""
    return IgnoreFiles(lambda: 0.0)


def is_ignored_below(root: Path, path: str) -> bool:
    """Whether ignore files, or the folders that are always skipped, leave out a path: it, or a folder it is in."""
    if not SKIPPED.isdisjoint(path.split("/")[:-1]):
        return True
    return ignore_files().ignored_by(str(root), str(root / path)) is not None


def read_regular(path: Path, most: int) -> str | None:
    """The text of a regular file of at most `most` bytes, \\n its line ending; None for anything else, links too."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError):
        return None
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > most:
            return None
        try:
            return file.read(most).decode("utf-8-sig").replace("\r\n", "\n")
        except (OSError, UnicodeDecodeError):
            return None


def inside(root: Path, path: str) -> Path | None:
    """The file of a relative path, if no part of it is a link or leads out of the root; None else."""
    place = root
    for part in path.split("/"):
        if part in ("", ".", "..") or "\\" in part:
            return None
        place = place / part
        try:
            if stat.S_ISLNK(place.lstat().st_mode):
                return None
        except (OSError, ValueError):
            return None
    return place


def _readable(entries: Iterator[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
    while True:
        try:
            yield next(entries)
        except (StopIteration, OSError):
            return


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _size(entry: os.DirEntry[str], path: str) -> int | None:
    """The size of a regular file of code that is worth a look; None for any other."""
    try:
        if not worth_indexing(path, 1) or not entry.is_file(follow_symlinks=False):
            return None
        size = entry.stat(follow_symlinks=False).st_size
    except OSError:
        return None
    return size if worth_indexing(path, size) else None
