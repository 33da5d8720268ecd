"""The ignore files of a workspace (`.gitignore`, `.foretypeignore`), the nearer one stronger; pure.

Patterns come from a repository: `privacy.globs` bounds what matching them costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pathspec import GitIgnoreSpec

from lsp_server.privacy.globs import MAX_PATTERNS, compiled, too_long

IGNORE_FILES: Final = (".gitignore", ".foretypeignore")
MAX_IGNORE_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Level:
    """One folder's patterns; `folder` is relative to the root with a slash at its end, "" for the root itself."""

    folder: str
    spec: GitIgnoreSpec


Levels = tuple[Level, ...]
"""Of a folder and those above it, the root's first."""


def level(folder: str, text: str) -> Level | None:
    """The patterns of an ignore file; None if it holds none."""
    patterns = tuple(line for line in text.split("\n")[:MAX_PATTERNS] if line.strip() and not line.startswith("#"))
    return Level(folder, compiled(patterns)) if patterns else None


def ignored(levels: Sequence[Level], path: str) -> bool:
    """Whether a path is ignored; a folder's ends with a slash. The folders above it are taken for not ignored."""
    if too_long(path):
        return True
    for each in reversed(levels):
        if path.startswith(each.folder):
            verdict = each.spec.check_file(path[len(each.folder) :]).include
            if verdict is not None:
                return verdict
    return False
