"""What the cache keeps and what it finds, and how many bytes each takes; pure."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from lsp_server.cache.surroundings import Surroundings
from lsp_server.sources.base import SourceName
from wire_protocol.frames import Lines

MAX_ENTRIES_AT_KEY: Final = 8
"""Suggestions for one place, newest first: single and multi-line, with and without a tail, of several files."""

INDEX_BYTES: Final = 400
"""What a slot takes beside its entries: 72 itself, the rest in the index that knows which was used least recently,
measured with tracemalloc."""


class Completeness(Enum):
    """Whether the generation came to its own end."""

    WHOLE = "whole"
    CUT_BY_LIMIT = "cut by limit"
    SHORTENED = "shortened"
    """Cut by a limit below the usual one, as its like was mostly wrong: its beginning is as good as a whole one's."""
    CUT_BY_TIME = "cut by time"


@dataclass(frozen=True, slots=True)
class Entry:
    """A generated text, from the cursor at which it was asked for."""

    text: str
    lines: Lines
    completeness: Completeness
    source: SourceName
    surroundings: Surroundings
    stored_at: float
    """Clock seconds."""
    doubtful: bool = False
    """Whether the model was too unsure of it to show it to somebody who did not ask."""
    mean_logprob: float | None = None
    """Of its tokens, natural; None if the source did not say."""
    first_logprob: float | None = None
    """Of the first of them."""

    @property
    def size(self) -> int:
        """Bytes of this entry and of all that belongs to it alone."""
        around = self.surroundings
        parts = (self, self.text, self.stored_at, self.mean_logprob, self.first_logprob, around, *around)
        return sum(map(sys.getsizeof, parts))

    def is_same_kind(self, other: Entry) -> bool:
        """Whether the newer of the two is enough."""
        mine, others = self.surroundings, other.surroundings
        return (self.lines, mine.rest, mine.path) == (other.lines, others.rest, others.path)

    def says_more_than(self, newer: Entry) -> bool:
        """Whether it is whole where a newer one of its kind was cut, and begins like that."""
        return (
            self.completeness is Completeness.WHOLE
            and newer.completeness is not Completeness.WHOLE
            and self.text.startswith(newer.text)
        )


class Match(NamedTuple):
    """An entry that agrees with the text around the cursor."""

    entry: Entry
    left: str
    """What is left to type: of its text; or, after a backspace, what was deleted and then its text."""
    appended: int
    """Characters typed since; negative if so many were deleted since."""
    stale: bool = False
    """What helped the model has changed since (far text, snippets, the file's name): show it, and ask anew."""
    reindented: bool = False
    """The editor indented a line other than the entry does; `left` is indented as the text is."""

    @property
    def deleted(self) -> str:
        """What `left` begins with because it was deleted; "" if nothing was."""
        return self.left[: -self.appended] if self.appended < 0 else ""


class Slot(NamedTuple):
    """The entries at one key, newest first, and the bytes that they take with their place in the index."""

    entries: tuple[Entry, ...]
    size: int


def slot_with(slot: Slot | None, entry: Entry) -> Slot:
    """`slot` with one more entry, in place of an earlier one of its kind."""
    older = slot.entries if slot is not None else ()
    others = [other for other in older if not other.is_same_kind(entry)]
    entries = (entry, *others[: MAX_ENTRIES_AT_KEY - 1])
    size = INDEX_BYTES + sum(kept.size for kept in entries) + sys.getsizeof(entries)
    return Slot(entries, size)
