"""gitignore patterns that a stranger may have written, made so that matching them takes bounded time; pure.

A pattern becomes a backtracking regular expression: with many stars in it, a long name costs minutes. A pattern with
too many is made wider, so that it still withholds all that it was meant to withhold.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from pathspec import GitIgnoreSpec

MAX_PATTERNS: Final = 2_000
"""Of one ignore file or setting; what is beyond is not read, and the file counts as one that cannot be read."""
MAX_PATTERN: Final = 512
"""Code points of one pattern."""
MAX_STARS: Final = 3
"""In one segment, and of `**` in a pattern: each multiplies the time by the name's length."""
MAX_HEAVY: Final = 50
"""Patterns with that many; beyond, they are made wider too."""
MAX_PATH: Final = 1_024
MAX_NAME: Final = 128
"""Code points of a path and of one name in it. What is longer is withheld without looking at patterns."""


def too_long(path: str) -> bool:
    """Whether a path is longer than patterns are matched with, or has a line end in it, which no star matches."""
    return len(path) > MAX_PATH or "\n" in path or any(len(name) > MAX_NAME for name in path.split("/"))


@lru_cache(maxsize=64)
def compiled(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    """The patterns, bounded; one that is not valid is left out rather than switch all of them off."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of `re`, for `[[`: nothing a person could do about it
        return GitIgnoreSpec.from_lines([pattern for pattern in bounded(patterns) if _is_valid(pattern)])


def bounded(patterns: Iterable[str]) -> list[str]:
    """The patterns with those that could take long made wider. A wider exception would widen, so it is left out."""
    heavy = 0
    kept: list[str] = []
    for pattern in patterns:
        if len(pattern) > MAX_PATTERN:
            continue
        stars = _stars(pattern)
        heavy += stars >= MAX_STARS
        if stars <= (MAX_STARS if heavy <= MAX_HEAVY else MAX_STARS - 1):
            kept.append(pattern)
        elif not pattern.startswith("!"):
            kept.append(_wider(pattern))
    return kept


def _stars(pattern: str) -> int:
    segments = pattern.split("/")
    names = (len(re.findall(r"\*+", segment)) for segment in segments if segment != "**")
    return max(segments.count("**"), max(names, default=0))


def _wider(pattern: str) -> str:
    segments = pattern.split("/")
    if segments.count("**") >= MAX_STARS:
        first, last = segments.index("**"), len(segments) - 1 - segments[::-1].index("**")
        segments[first : last + 1] = ["**"]
    return "/".join(_one_star(segment) for segment in segments)


def _one_star(segment: str) -> str:
    if len(re.findall(r"\*+", segment)) < MAX_STARS or segment == "**":
        return segment
    first, last = segment.partition("*")[0], segment.rpartition("*")[2]
    # A class cut in two would be no pattern any more, or another one.
    return f"{first if '[' not in first else ''}*{last if ']' not in last else ''}"


def _is_valid(pattern: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([pattern])
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1_024)
def _matches(patterns: tuple[str, ...], path: str) -> bool:
    return too_long(path) or compiled(patterns).match_file(path)


def matches(patterns: Iterable[str], path: str) -> bool:
    """Whether gitignore `patterns` match the relative `path`; a path that is too long counts as matched."""
    patterns = tuple(patterns)
    return bool(patterns) and bool(path) and _matches(patterns, path.lstrip("/"))
