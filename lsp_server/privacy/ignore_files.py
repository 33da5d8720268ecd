"""`.gitignore`, `.foretypeignore` and git's own exclude files as git reads them: nested, and the deepest one decides.

An ignore file is not followed through a link and must be a regular file, as in git; one that cannot be read withholds
its folder. Looked at again when it changed, at most every RECHECK_S.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from cachetools import LRUCache
from pathspec import GitIgnoreSpec

from lsp_server.privacy.globs import MAX_PATTERNS, compiled, too_long

IGNORE_FILES: Final = (".gitignore", ".foretypeignore")
"""Each is read on its own: an exception in one does not take back what the other withholds."""
RECHECK_S: Final = 2.0
MAX_BYTES: Final = 262_144
MAX_LEVELS: Final = 64
"""Folders above a workspace that are looked at for the top of its git repository, and folders below it."""
MAX_FOLDERS: Final = 4_096
"""Whose ignore files are kept."""
MAX_PATHS: Final = 8_192
"""Paths whose answer is kept."""

_EVERYTHING: Final = ("*",)

Stamp = tuple[int, int, int] | None


@dataclass(slots=True)
class _Read:
    """One ignore file, or its absence."""

    stamp: Stamp
    spec: GitIgnoreSpec | None
    checked_at: float


class IgnoreFiles:
    """What the ignore files of a person's folders say. `clock` gives seconds; `home` is the person's folder."""

    def __init__(self, clock: Callable[[], float], home: str | None = None) -> None:
        self._clock = clock
        self._files: LRUCache[str, _Read] = LRUCache(MAX_FOLDERS)
        self._tops: LRUCache[str, tuple[str, float]] = LRUCache(MAX_FOLDERS)
        self._paths: LRUCache[tuple[str, str], tuple[str | None, float]] = LRUCache(MAX_PATHS)
        home = os.path.expanduser("~") if home is None else home
        self._user_file = os.path.join(home, ".config", "git", "ignore")

    def ignored_by(self, root: str, path: str) -> str | None:
        """The name of what ignores the file at absolute `path` in the workspace folder `root`; None if nothing does."""
        now = self._clock()
        kept = self._paths.get((root, path))
        if kept is not None and now - kept[1] < RECHECK_S:
            return kept[0]
        answer = self._ignored_by(root, path)
        self._paths[root, path] = (answer, now)
        return answer

    def _ignored_by(self, root: str, path: str) -> str | None:
        top = self._top(root)
        try:
            parts = PurePath(path).relative_to(top).parts
        except ValueError:
            return "being outside"
        if len(parts) > MAX_LEVELS or too_long("/".join(parts)):
            return "its length"
        for name in IGNORE_FILES:
            specs = [self._spec(os.path.join(top, *parts[:depth], name)) for depth in range(len(parts))]
            shared = [] if name != ".gitignore" else self._shared(top)
            if any(spec is not None for spec in (*specs, *shared)) and _is_ignored(parts, specs, shared):
                return name
        return None

    def _shared(self, top: str) -> list[GitIgnoreSpec | None]:
        """What git asks after the folders' own files."""
        return [self._spec(os.path.join(top, ".git", "info", "exclude")), self._spec(self._user_file, follow=True)]

    def _top(self, root: str) -> str:
        """The top of the repository that `root` is in, else `root`."""
        now = self._clock()
        kept = self._tops.get(root)
        if kept is not None and now - kept[1] < RECHECK_S:
            return kept[0]
        top, folder = root, root
        for _ in range(MAX_LEVELS):
            if os.path.lexists(os.path.join(folder, ".git")):
                top = folder
                break
            parent = os.path.dirname(folder)
            if parent == folder:
                break
            folder = parent
        self._tops[root] = (top, now)
        return top

    def _spec(self, file: str, *, follow: bool = False) -> GitIgnoreSpec | None:
        now = self._clock()
        kept = self._files.get(file)
        if kept is not None and now - kept.checked_at < RECHECK_S:
            return kept.spec
        status: os.stat_result | None = None
        stamp: Stamp = None
        try:
            status = os.stat(file) if follow else os.lstat(file)
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError:
            self._files[file] = _Read(None, compiled(_EVERYTHING), now)
            return compiled(_EVERYTHING)
        if kept is not None and kept.stamp == stamp and (stamp is not None or kept.spec is None):
            kept.checked_at = now
            return kept.spec
        spec = None if status is None else _read(file, status)
        self._files[file] = _Read(stamp, spec, now)
        return spec


def _read(file: str, status: os.stat_result) -> GitIgnoreSpec | None:
    if stat.S_ISLNK(status.st_mode) or stat.S_ISDIR(status.st_mode):
        return None  # git does not read it either
    if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
        return compiled(_EVERYTHING)
    try:
        with open(file, "rb") as stream:
            lines = stream.read(MAX_BYTES).decode("utf-8", "replace").lstrip("\ufeff").splitlines()
    except OSError:
        return compiled(_EVERYTHING)
    patterns = tuple(line for line in lines if line.strip() and not line.startswith("#"))
    return compiled(_EVERYTHING if len(patterns) > MAX_PATTERNS else patterns)


def _is_ignored(parts: tuple[str, ...], specs: list[GitIgnoreSpec | None], shared: list[GitIgnoreSpec | None]) -> bool:
    """git's rule: of each folder on the way and the file, the deepest ignore file that says something decides; below
    an ignored folder nothing is taken back."""
    for length in range(1, len(parts) + 1):
        slash = "" if length == len(parts) else "/"
        if _says(parts[:length], slash, specs, shared):
            return True
    return False


def _says(
    parts: tuple[str, ...], slash: str, specs: list[GitIgnoreSpec | None], shared: list[GitIgnoreSpec | None]
) -> bool:
    for depth in range(len(parts) - 1, -1, -1):
        spec = specs[depth]
        if spec is not None:
            said = spec.check_file("/".join(parts[depth:]) + slash).include
            if said is not None:
                return said
    whole = "/".join(parts) + slash
    for spec in shared:
        said = None if spec is None else spec.check_file(whole).include
        if said is not None:
            return said
    return False
