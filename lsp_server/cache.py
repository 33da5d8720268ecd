"""What was generated, found again while the person types it: text, where it was generated, and whether it is whole.

Pure. An entry lies under the end of the text before its cursor, so what was typed since is found by looking under
each shorter end: one dictionary look-up per character. The text is kept as generated; it is trimmed for the cursor
at which it is shown, so after an auto-closed bracket was typed over, what stands behind it is still there to show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from cachetools import LRUCache

from lsp_server.sources.base import SourceName
from wire_protocol.frames import Context, Lines

MAX_BYTES: Final = 8_388_608
"""Memory of all entries: some thousand suggestions."""
TTL_S: Final = 600.0
"""Seconds: after ten minutes the code around has usually changed so that a new answer is worth its cost."""

KEY_CHARACTERS: Final = 512
"""Of the text before the cursor that must be equal."""
MAX_THROUGH: Final = 512
"""Characters typed since that are looked back over: as long as a suggestion may be."""
MAX_ENTRIES_AT_KEY: Final = 4
"""Suggestions for one place, newest first: single and multi-line, whole and cut."""

_ENTRY_BYTES: Final = 512
"""Charged per entry beside its texts, for the objects around them."""
_BYTES_PER_CODE_POINT: Final = 4
"""Python's widest string representation."""


class Completeness(Enum):
    """Whether the generation came to its own end."""

    WHOLE = "whole"
    CUT_BY_LIMIT = "cut by limit"
    CUT_BY_TIME = "cut by time"


@dataclass(frozen=True, slots=True)
class Entry:
    """A generated text, from the cursor at which it was asked for."""

    text: str
    lines: Lines
    completeness: Completeness
    source: SourceName
    tail: str
    """What the editor had put behind the cursor then."""
    stored_at: float
    """Clock seconds."""


class Match(NamedTuple):
    """An entry that agrees with what was typed since."""

    entry: Entry
    left: str
    """What of its text is left to type."""
    appended: int
    """Characters typed since."""


class _Key(NamedTuple):
    before: str
    after: str
    path: str
    language: str


class _Slot(NamedTuple):
    """The entries under one key, and the bytes they are charged."""

    entries: tuple[Entry, ...]
    size: int


_EMPTY: Final = _Slot((), 0)


class Cache:
    """Entries of all documents, least recently used dropped first; `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float], max_bytes: int = MAX_BYTES, ttl_s: float = TTL_S) -> None:
        self._clock = clock
        self._entries: LRUCache[_Key, _Slot] = LRUCache(max_bytes, getsizeof=lambda slot: slot.size)
        self._ttl_s = ttl_s
        self._max_bytes = max_bytes

    @property
    def bytes_used(self) -> int:
        """Upper estimate of the memory held."""
        return int(self._entries.currsize)

    def store(self, context: Context, text: str, lines: Lines, completeness: Completeness, source: SourceName) -> None:
        """Keep what was generated for `context`; in place of an earlier text of the same kind there."""
        entry = Entry(text, lines, completeness, source, context.tail, self._clock())
        key = _Key((context.before + context.typed)[-KEY_CHARACTERS:], context.after, context.path, context.language)
        slot = self._entries.pop(key, _EMPTY)
        others = [other for other in slot.entries if (other.lines, other.tail) != (entry.lines, entry.tail)]
        entries = (entry, *others[: MAX_ENTRIES_AT_KEY - 1])
        size = _size(key, entries)
        if size <= self._max_bytes:
            self._entries[key] = _Slot(entries, size)

    def matches(self, context: Context) -> Iterator[Match]:
        """What agrees with `context`, least typed since first. A text typed to its end or beyond is none."""
        text = context.before + context.typed
        oldest = self._clock() - self._ttl_s
        for appended in range(min(len(text), MAX_THROUGH) + 1):
            end = len(text) - appended
            key = _Key(text[max(0, end - KEY_CHARACTERS) : end], context.after, context.path, context.language)
            # Asked first, as most keys are not there and `get` costs five times as much.
            if key not in self._entries:
                continue
            typed = text[end:]
            for entry in self._entries[key].entries:
                agrees = entry.text.startswith(typed) and _tails_agree(entry.tail, context.tail, typed)
                if agrees and entry.stored_at >= oldest and (len(entry.text) > appended or not appended):
                    yield Match(entry, entry.text[appended:], appended)


def _tails_agree(old: str, new: str, typed: str) -> bool:
    """Whether typing alone turned one tail into the other; the rule of `wire_protocol.agreement.continuation`."""
    if new.endswith(old):
        return bool(typed) or new == old
    if not old.endswith(new):
        return False
    characters = iter(typed)
    return all(character in characters for character in old[: len(old) - len(new)])


def _size(key: _Key, entries: tuple[Entry, ...]) -> int:
    held = sum(_ENTRY_BYTES + _text_bytes(entry.text) + _text_bytes(entry.tail) for entry in entries)
    return held + sum(map(_text_bytes, key))


def _text_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text) * _BYTES_PER_CODE_POINT
