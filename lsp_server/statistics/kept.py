"""How much of an inserted text still stands where it was inserted; pure.

The measure is the share of its lexemes (words, and single other characters; white space does not count) that are left
in order: the longest common subsequence of both texts' lexemes. GitHub Copilot's telemetry, which this follows, calls a
completion "still in code" when the edit distance of its lexemes is at most half of their number; unlike that, text that
the person put in between counts for nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

MOSTLY: Final = 0.5
"""Share of the lexemes from which on a text is called still there: Copilot's."""

MAX_LEXEMES: Final = 1_024
"""Of each text, from its start: more than a suggestion has. The comparison then takes a millisecond or two."""

_LEXEME: Final = re.compile(r"\w+|[^\w\s]")


class Kept(StrEnum):
    """What is left of an accepted text."""

    UNCHANGED = "kept_unchanged"
    MOSTLY = "kept_mostly"
    GONE = "kept_gone"
    UNKNOWN = "kept_unknown"
    """Its document was closed before, or the editor replaced the whole text."""


def judge(inserted: str, now: str) -> Kept:
    """What is left of `inserted`, where `now` stands today."""
    if inserted == now:
        return Kept.UNCHANGED
    return Kept.MOSTLY if share(inserted, now) >= MOSTLY else Kept.GONE


def share(inserted: str, now: str) -> float:
    """Of the lexemes of `inserted`, the share that is left in order; 1 for one that has none, such as an empty line."""
    wanted, found = _lexemes(inserted), _lexemes(now)
    return common(wanted, found) / len(wanted) if wanted else 1.0


def _lexemes(text: str) -> list[str]:
    found = _LEXEME.finditer(text)
    return [match.group() for match, _ in zip(found, range(MAX_LEXEMES), strict=False)]


def common(one: Sequence[str], other: Sequence[str]) -> int:
    """The length of the longest common subsequence.

    Bit-parallel: one row of the table is one integer (H. Hyyrö, "Bit-parallel LCS-length computation revisited", 2004).
    """
    places: dict[str, int] = {}
    for at, lexeme in enumerate(one):
        places[lexeme] = places.get(lexeme, 0) | 1 << at
    everything = (1 << len(one)) - 1
    row = everything
    for lexeme in other:
        matching = row & places.get(lexeme, 0)
        row = (row + matching | row - matching) & everything
    return len(one) - row.bit_count()
