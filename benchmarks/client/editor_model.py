"""An editor's document: keys, auto-indent, auto-closed brackets, undo; each edit as `didChange` reports it; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PAIRS: Final = {"(": ")", "[": "]", "{": "}"}
CLOSERS: Final = frozenset(PAIRS.values())
_CLOSES_BEFORE: Final = " \t\n)]}:,;.=>"
"""VS Code closes a bracket by itself only before these, and at the end of the text."""
_DEEPER_AFTER: Final = (":", "{", "(", "[")
"""A line that ends so is followed by one that is one step deeper."""
UNDO_STEPS: Final = 200


@dataclass(frozen=True, slots=True)
class Edit:
    """The range from `start` to `end`, offsets before the edit, became `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class _State:
    text: str
    cursor: int
    closed: tuple[int, ...]


class EditorModel:
    """Text and cursor (offsets in code points). `unit` is one step of indentation; `helps`: indents and closes.

    It does not put a closing bracket on a line of its own at Enter, as some editors do.
    """

    def __init__(self, text: str, cursor: int, unit: str = "    ", *, helps: bool = True) -> None:
        self.text = text
        self.cursor = cursor
        self.unit = unit
        self.helps = helps
        self._closed: list[int] = []
        """Auto-closed brackets as distances from the text's end, the innermost last."""
        self._history: list[_State] = []

    @property
    def tail(self) -> str:
        """What the editor closed by itself directly after the cursor."""
        end = self.cursor
        while end < len(self.text) and len(self.text) - end in self._closed:
            end += 1
        return self.text[self.cursor : end]

    def press(self, key: str) -> Edit:
        """Type one character; `\\n` is Enter, `\\t` the Tab key (one step of indentation)."""
        if key in " \n" or not self._history:
            self._remember()
        if key == "\n":
            return self._enter()
        if key == "\t":
            return self._replace(self.cursor, self.cursor, self.unit)
        following = self.text[self.cursor : self.cursor + 1]
        if key in CLOSERS and key == following and self.tail:
            self._closed.remove(len(self.text) - self.cursor)
            return self._replace(self.cursor, self.cursor + 1, key)  # so VS Code reports overtyping
        closing = PAIRS.get(key, "") if self.helps and (not following or following in _CLOSES_BEFORE) else ""
        edit = self._replace(self.cursor, self.cursor, key + closing)
        if closing:
            self.cursor -= 1
            self._closed.append(len(self.text) - self.cursor)
        return edit

    def _enter(self) -> Edit:
        line_start = self.text.rfind("\n", 0, self.cursor) + 1
        line = self.text[line_start : self.cursor]
        indent = line[: len(line) - len(line.lstrip(" \t"))] if self.helps else ""
        start = self.cursor
        if self.helps and line and not line.strip():
            start = line_start  # blanks alone on a line are taken away
        elif self.helps and line.rstrip().endswith(_DEEPER_AFTER):
            indent += self.unit
        return self._replace(start, self.cursor, "\n" + indent)

    def backspace(self) -> Edit | None:
        """Delete to the left: an empty auto-closed pair whole, leading blanks by steps; None at the text's start."""
        if not self.cursor:
            return None
        before = self.text[self.cursor - 1]
        if self.tail and PAIRS.get(before) == self.tail[0] and len(self.text) - self.cursor in self._closed:
            self._closed.remove(len(self.text) - self.cursor)
            return self._replace(self.cursor - 1, self.cursor + 1, "")
        line = self.text[self.text.rfind("\n", 0, self.cursor) + 1 : self.cursor]
        width = 1
        if line and not line.strip(" ") and self.unit.startswith(" "):
            width = len(line) % len(self.unit) or len(self.unit)
        return self._replace(self.cursor - width, self.cursor, "")

    def delete(self) -> Edit:
        """Delete the character right of the cursor."""
        if len(self.text) - self.cursor in self._closed:
            self._closed.remove(len(self.text) - self.cursor)
        return self._replace(self.cursor, self.cursor + 1, "")

    def accept(self, text: str, replaced: int) -> Edit:
        """Insert a suggestion in place of so many characters after the cursor."""
        self._remember()
        gone = {len(self.text) - self.cursor - offset for offset in range(replaced)}
        self._closed = [distance for distance in self._closed if distance not in gone]
        return self._replace(self.cursor, self.cursor + replaced, text)

    def undo(self) -> Edit | None:
        """Go back to before the last word, line or accepted suggestion; None if nothing was done."""
        if not self._history:
            return None
        state = self._history.pop()
        start, end, text = difference(self.text, state.text)
        self.text, self.cursor, self._closed = state.text, state.cursor, list(state.closed)
        return Edit(start, end, text)

    def move(self, cursor: int) -> None:
        """Put the cursor elsewhere; brackets closed before are then text like any other."""
        self.cursor = cursor
        self._closed.clear()
        self._history.clear()

    def _remember(self) -> None:
        self._history.append(_State(self.text, self.cursor, tuple(self._closed)))
        del self._history[:-UNDO_STEPS]

    def _replace(self, start: int, end: int, text: str) -> Edit:
        self.text = self.text[:start] + text + self.text[end:]
        self.cursor = start + len(text)
        return Edit(start, end, text)


def difference(old: str, new: str) -> tuple[int, int, str]:
    """The one replacement that makes `new` of `old`: start, end (in `old`) and text."""
    limit = min(len(old), len(new))
    start = next((at for at in range(limit) if old[at] != new[at]), limit)
    same = 0
    while same < limit - start and old[len(old) - 1 - same] == new[len(new) - 1 - same]:
        same += 1
    return start, len(old) - same, new[start : len(new) - same]


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column from 0. The traces are ASCII, so the column is the same in every encoding."""
    return text.count("\n", 0, offset), offset - (text.rfind("\n", 0, offset) + 1)
