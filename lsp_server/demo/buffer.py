"""A document as an editor holds it: the text, the cursor, and brackets that the editor closed by itself; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PAIRS: Final = {"(": ")", "[": "]", "{": "}"}

_CLOSES_BEFORE: Final = " \t\n)]}:,;.=>"
"""An editor closes a bracket by itself only where nothing is written directly behind the cursor (VS Code's default)."""


@dataclass(frozen=True, slots=True)
class Change:
    """One `didChange`: the range from `start` to `end`, offsets in code points before the change, becomes `text`."""

    start: int
    end: int
    text: str


class Buffer:
    """Text and cursor; each edit returns the change to report to the language server."""

    def __init__(self, text: str, cursor: int) -> None:
        self.text = text
        self.cursor = cursor
        self._closed: list[
            int
        ] = []  # distances of auto-closed brackets from the text's end, which edits before do not move

    def press(self, key: str) -> Change:
        """Type `key`: plain insertion, or with a closing bracket added, or over an auto-closed one."""
        following = self.text[self.cursor : self.cursor + 1]
        from_end = len(self.text) - self.cursor
        if key == following and from_end in self._closed:
            self._closed.remove(from_end)
            change = Change(self.cursor, self.cursor + 1, key)  # VS Code replaces the bracket by itself
            self.cursor += 1
            return change
        closing = PAIRS.get(key, "")
        if closing and (not following or following in _CLOSES_BEFORE):
            change = self._insert(key + closing)
            self.cursor -= 1
            self._closed.append(len(self.text) - self.cursor)
            return change
        return self._insert(key)

    def accept(self, suggestion: str) -> Change:
        """Insert a suggestion at the cursor."""
        return self._insert(suggestion)

    def _insert(self, text: str) -> Change:
        change = Change(self.cursor, self.cursor, text)
        self.text = self.text[: self.cursor] + text + self.text[self.cursor :]
        self.cursor += len(text)
        return change

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, from 0, of `offset`; the column in code points (the demo's client asks for utf-32)."""
        line_start = self.text.rfind("\n", 0, offset) + 1
        return self.text.count("\n", 0, offset), offset - line_start
