"""`.gitignore`, `.foretypeignore` and git's own exclude files as git reads them: nested, and the deepest one decides.

An ignore file is not followed through a link and must be a regular file, as in git; one that cannot be read withholds
its folder. Looked at again when it changed, at most every RECHECK_S.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Final

from cachetools import LRUCache
from pathspec import GitIgnoreSpec

from lsp_server.privacy.globs import MAX_PATTERNS, compiled, too_long

GITIGNORE: Final = ".gitignore"
IGNORE_FILES: Final = (GITIGNORE, ".foretypeignore")
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


@dataclass(frozen=True, slots=True)
class Rules:
    """What ignore files say of the entries of one folder, which is `parts` below `top`.

    `specs`: for each of IGNORE_FILES those of the folders from `top` down to this one, None where a folder has none;
    `shared`: what git asks after them.
    """

    top: str
    parts: tuple[str, ...]
    specs: tuple[tuple[GitIgnoreSpec | None, ...], ...]
    shared: tuple[GitIgnoreSpec | None, ...]

    @property
    def patterns(self) -> int:
        """How many patterns there are on the way from `top`; beyond MAX_PATTERNS all is ignored, and no more are read,
        as reading and asking those of many folders takes seconds."""
        return sum(len(spec) for specs in self.specs for spec in specs if spec is not None)

    def ignored(self, name: str, *, folder: bool) -> str | None:
        """The name of what ignores the entry `name`; None if nothing does, the folders above not being ignored."""
        parts, slash = (*self.parts, name), "/" if folder else ""
        if too_long("/".join(parts)):
            return "its length"
        if self.patterns > MAX_PATTERNS:
            return "more patterns than are looked through"
        for file, specs in zip(IGNORE_FILES, self.specs, strict=True):
            shared = self.shared if file == GITIGNORE else ()
            if any(spec is not None for spec in (*specs, *shared)) and _says(parts, slash, specs, shared):
                return file
        return None


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
        if len(parts) > MAX_LEVELS:
            return "its length"
        rules = self._topmost(top)
        for number, name in enumerate(parts, start=1):
            is_folder = number < len(parts)
            if (by := rules.ignored(name, folder=is_folder)) is not None:
                return by  # below an ignored folder nothing is taken back, whatever lies deeper
            if is_folder:
                rules = self.below(rules, name)
        return None

    def _topmost(self, top: str) -> Rules:
        return Rules(top, (), self._own(top), self._shared(top))

    def rules(self, root: str) -> Rules:
        """What holds for the entries of the workspace folder `root` (an absolute path)."""
        top = self._top(root)
        rules = self._topmost(top)
        for name in PurePath(root).relative_to(top).parts:
            rules = self.below(rules, name)
        return rules

    def below(self, rules: Rules, name: str) -> Rules:
        """What holds for the entries of the folder `name` among those that `rules` are of."""
        parts = (*rules.parts, name)
        if rules.patterns > MAX_PATTERNS:
            return replace(rules, parts=parts)
        own = self._own(os.path.join(rules.top, *parts))
        specs = tuple((*above, *here) for above, here in zip(rules.specs, own, strict=True))
        return replace(rules, parts=parts, specs=specs)

    def _own(self, folder: str) -> tuple[tuple[GitIgnoreSpec | None, ...], ...]:
        return tuple((self._spec(os.path.join(folder, name)),) for name in IGNORE_FILES)

    def _shared(self, top: str) -> tuple[GitIgnoreSpec | None, ...]:
        """What git asks after the folders' own files."""
        return self._spec(os.path.join(top, ".git", "info", "exclude")), self._spec(self._user_file, follow=True)

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


def _says(
    parts: tuple[str, ...],
    slash: str,
    specs: tuple[GitIgnoreSpec | None, ...],
    shared: tuple[GitIgnoreSpec | None, ...],
) -> bool:
    """git's rule: the deepest ignore file that says something decides; then those that all folders share."""
    for depth in range(min(len(parts), len(specs)) - 1, -1, -1):
        spec = specs[depth]
        if spec is not None:
            said = spec.check_file("/".join(parts[depth:]) + slash).include
            if said is not None:
                return said
    for spec in shared:
        said = None if spec is None else spec.check_file("/".join(parts) + slash).include
        if said is not None:
            return said
    return False
