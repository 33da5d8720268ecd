"""The cache: a radix tree over the text before the cursor, bounded in bytes and in time, and the search in it; pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from cachetools import TTLCache

from lsp_server.cache.blocks import blocks, key_of
from lsp_server.cache.entries import Completeness, Entry, Match, Slot, slot_with
from lsp_server.cache.indentation import left_to_type
from lsp_server.cache.radix import Node, RadixTree
from lsp_server.cache.surroundings import Here, grown_by, shrunk_by
from lsp_server.sources.base import SourceName
from wire_protocol.frames import Context, Lines

MAX_BYTES: Final = 8_388_608
"""Memory of all entries: some thousand suggestions."""
TTL_S: Final = 600.0
"""Seconds: after ten minutes the code around has usually changed so that a new answer is worth its cost."""

MEMORY_FACTOR: Final = 1.15
"""What is really taken, in terms of `bytes_used`, at most; a test measures it with tracemalloc."""

MAX_THROUGH: Final = 512
"""Characters typed since that are looked back over: as long as a suggestion may be."""
MAX_DELETED: Final = 64
"""Characters deleted since that are put back: someone who deletes more has changed their mind."""
MAX_AHEAD: Final = 4
"""Entries given from places that were deleted; of more the nearest say enough."""


class Cache:
    """Entries of all documents, least recently used dropped first; `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float], max_bytes: int = MAX_BYTES, ttl_s: float = TTL_S) -> None:
        self._clock = clock
        self._now = clock()
        self._max_bytes = max_bytes
        self._ttl_s = ttl_s
        self._tree: RadixTree[Slot] = RadixTree()
        # Its size is bounded here, with the tree's; its time stands still within a call, so that nothing leaves it
        # without leaving the tree.
        self._index: TTLCache[Node[Slot], Slot] = TTLCache(
            math.inf, ttl_s, timer=lambda: self._now, getsizeof=lambda slot: slot.size
        )

    @property
    def bytes_used(self) -> int:
        """Memory held, by the sizes of all objects; at most `max_bytes`.

        What the interpreter takes beside that stays below MEMORY_FACTOR: the allocator rounds up, and dictionaries grow
        in steps.
        """
        return self._tree.size + int(self._index.currsize)

    def store(
        self,
        context: Context,
        text: str,
        lines: Lines,
        completeness: Completeness,
        source: SourceName,
        *,
        doubtful: bool = False,
        mean_logprob: float | None = None,
        first_logprob: float | None = None,
    ) -> None:
        """Keep what was generated for `context`; in place of an earlier text of the same kind there.

        A text that was cut does not take the place of a whole one that it begins: that is kept as if it had come now.
        """
        self._drop_expired()
        here = Here(context)
        start = next(blocks(here.text, len(context.before), len(here.text)))
        around = here.surroundings(start)
        entry = Entry(text, lines, completeness, source, around, self._now, doubtful, mean_logprob, first_logprob)
        if entry.size > self._max_bytes // 2:
            return  # it would push all others out and hardly fit itself
        key = key_of(here.text, start, context.language)
        node = self._tree.insert(key)
        for other in node.value.entries if node.value is not None else ():
            if other.is_same_kind(entry) and other.says_more_than(entry):
                entry = replace(other, surroundings=entry.surroundings, stored_at=entry.stored_at)
        node.value = self._index[node] = slot_with(node.value, entry)
        self._shrink()

    def matches(self, context: Context, *, deleted: bool = False) -> Iterator[Match]:
        """What agrees with the text around the cursor, the surest first. A text typed to its end or beyond is none.

        First what was typed through to the letter, least typed since first; then what was typed through with other
        indentation; then both kinds of what is stale. Last, if the person has just `deleted` something, what lies ahead
        where the text was deleted, the nearest first: else it would be put back into everything typed there later.
        """
        self._drop_expired()
        here = Here(context)
        later: tuple[list[Match], list[Match], list[Match]] = ([], [], [])
        for match in self._typed_through(context, here):
            rank = match.reindented + 2 * match.stale
            if rank:
                later[rank - 1].append(match)
            else:
                yield match
        for matches in later:
            yield from matches
        if deleted:
            yield from self._ahead(context, here)

    def _typed_through(self, context: Context, here: Here) -> Iterator[Match]:
        text = here.text
        earliest = max(0, len(text) - MAX_THROUGH)
        for start in blocks(text, len(context.before), earliest):
            key = key_of(text, start, context.language)
            for length, node in reversed(self._tree.along(key)):
                end = len(text) - (len(key) - length)
                if end < earliest:
                    break
                yield from self._at(node, here, start, end)

    def _at(self, node: Node[Slot], here: Here, start: int, end: int) -> Iterator[Match]:
        """The entries at `node`, for the text up to `end`, that agree with what was typed since."""
        typed = here.text[end:]
        for entry in self._entries(node):
            left, reindented = left_to_type(entry.text, here.text, end)
            if left is None or not _is_of(entry, here, start):
                continue
            shift = grown_by(entry.surroundings.rest, here.rest, typed)
            if shift is None:
                continue
            stale = here.is_stale(entry.surroundings, start, shift)
            # That there was nothing to say then does not mean that there is nothing now.
            if not stale or left.strip():
                self._index.get(node)  # makes it the one used last
                yield Match(entry, left, len(typed), stale, reindented)

    def _ahead(self, context: Context, here: Here) -> Iterator[Match]:
        """What was generated further on in the line, where the text was deleted since."""
        start = next(blocks(here.text, len(context.before), len(here.text)))
        found = 0
        for deleted, node in self._tree.beyond(key_of(here.text, start, context.language), MAX_DELETED):
            # Deleted indentation is a line moved to another block; what follows belongs to the old one.
            if "\n" in deleted or not deleted.strip():
                continue
            for entry in self._entries(node):
                shift = shrunk_by(entry.surroundings.rest, here.rest, deleted)
                if shift is None or not entry.text.strip() or not _is_of(entry, here, start):
                    continue
                self._index.get(node)
                stale = here.is_stale(entry.surroundings, start, -shift)
                yield Match(entry, deleted + entry.text, -len(deleted), stale)
                found += 1
                if found == MAX_AHEAD:
                    return

    def _entries(self, node: Node[Slot]) -> list[Entry]:
        slot = node.value
        return [] if slot is None else [kept for kept in slot.entries if self._now < kept.stored_at + self._ttl_s]

    def _drop_expired(self) -> None:
        self._now = self._clock()
        for node, _ in self._index.expire():
            self._tree.remove(node)

    def _shrink(self) -> None:
        while self._index and self.bytes_used > self._max_bytes:
            node, _ = self._index.popitem()
            self._tree.remove(node)


def _is_of(entry: Entry, here: Here, start: int) -> bool:
    """Whether the entry is of the same file, or so much is equal before that it is a copy or has a new name."""
    return entry.surroundings.path == here.path or start > 0
