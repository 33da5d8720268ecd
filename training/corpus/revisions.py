"""Which Debian revision stands in for a pinned one: archives keep the last security update of a release only."""

from __future__ import annotations

import re
from collections.abc import Iterable


def without_epoch(version: str) -> str:
    """The version as file names have it."""
    return version.partition(":")[2] or version


def upstream(version: str) -> str:
    """The upstream project's own part of a Debian version, without epoch and revision."""
    bare = without_epoch(version)
    return bare.rpartition("-")[0] or bare


def revisions(pinned: str, offered: Iterable[str]) -> list[str]:
    """What can stand for the pinned version, best first: itself, then others of its upstream source, newest first.

    The project's own files are the same in all of them but for the distribution's patches, which are not read.
    """
    same = {version for version in offered if upstream(version) == upstream(pinned)}
    return sorted(same, key=lambda version: (version == pinned, _in_order(version)), reverse=True)


def _in_order(version: str) -> list[tuple[int, str]]:
    """Digits count as numbers: enough to order revisions of one upstream version (Debian Policy 5.6.12)."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"\d+|\D+", version)]
