"""Which suggestion an editor means when it says that one was accepted; bounded; pure."""

from __future__ import annotations

from typing import Final

from cachetools import LRUCache

from lsp_server.counters import Counters

MAX_REMEMBERED: Final = 256
"""Suggestions that can still be accepted: an editor shows one at a time."""


class Acceptances:
    """Counts what becomes of suggestions. Each is counted once as accepted."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._characters: LRUCache[int, int] = LRUCache(MAX_REMEMBERED)
        self._partly: LRUCache[int, int] = LRUCache(MAX_REMEMBERED)

    def given(self, id: int, text: str) -> None:
        """Suggestion `id` was given to the editor."""
        self._characters[id] = len(text)

    def accepted(self, id: int) -> bool:
        """It was accepted; False if it is not known (any more)."""
        length = self._characters.pop(id, None)
        if length is None:
            return False
        self._counters.accepted += 1
        self._counters.accepted_characters += length - self._partly.pop(id, 0)
        return True

    def accepted_partly(self, id: int, characters: int) -> bool:
        """Its first `characters` were accepted (in all, not since the last report)."""
        length = self._characters.get(id)
        if length is None:
            return False
        before = self._partly.get(id, 0)
        now = min(max(characters, before), length)
        self._counters.accepted_partly += before == 0
        self._counters.accepted_characters += now - before
        self._partly[id] = now
        return True
