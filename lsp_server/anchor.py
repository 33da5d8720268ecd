r"""Where the burst of typing began, and what the editor closed by itself: the anchor of one document; pure.

A burst is a region of the document that edits by typing stay within: it starts at the anchor and ends where the text
that was there before (`after`) goes on. The cursor divides it: `typed` is before it, `tail` after it. What an editor
closes by itself (a bracket, a quote, the line of a closing brace) makes the region grow without moving the cursor, so
it is found as the tail; typing over it only moves the cursor on.

A new line is typing too: the anchor stays where it is until the burst is `MAX_TYPED` long. Moving it at each line
would change the end of `before`, and in layouts that put `after` behind it (prefix, suffix, middle) the model would
evaluate the whole of `after` again for each line; the 512 characters at most of `typed` are cheap beside that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from lsp_server.documents import Change, Snapshot

MAX_TYPED: Final = 512
"""Characters of a burst: the worker reserves tokens for as many."""

LONG_LINE_STEP: Final = MAX_TYPED // 2
"""In a line longer than a burst may be, the anchor stands at a multiple of this column, so that it seldom moves."""

MAX_TAIL: Final = 128
"""Characters an editor inserts behind the cursor by itself: closers, and a line break with indentation."""

CLOSERS: Final = frozenset(")]}>\"'`;,*/")
"""What editors put behind the cursor: closing brackets and quotes, `*/` of a comment, `,` and `;` of some snippets."""


class Move(Enum):
    """How the cursor came where it is, as far as the document shows it."""

    OPENED = "opened"
    """Nothing was typed since the document was opened."""
    TYPED = "typed"
    JUMPED = "jumped"
    """The cursor is elsewhere and nothing changed."""
    EDITED_ELSEWHERE = "edited elsewhere"
    """Something changed that was not typed at the cursor: several cursors, an import added, a file reloaded."""
    UNDONE = "undone"
    """The text is again what it was before: undo, redo, or typing taken back."""


@dataclass(frozen=True, slots=True)
class Place:
    """A cursor in its burst, in code points from the start of the document: start <= cursor <= end."""

    start: int
    """The anchor."""
    cursor: int
    end: int
    """Where the frozen `after` starts."""
    move: Move
    new_line: bool = False
    """Whether the last edit began a new line at the cursor."""


class Anchor:
    """Follows one document's changes and cursors. Call `changed` for each change and `place` for each request."""

    __slots__ = ("_cursor", "_end", "_first", "_move", "_new_line", "_pending", "_start")

    def __init__(self) -> None:
        self._start: int | None = None
        """The anchor; None until a snapshot tells where the line of `_first` starts."""
        self._first: int | None = None
        """Where the burst's first edit was; None while there is no burst."""
        self._end = 0
        self._cursor = -1
        self._move = Move.OPENED
        self._pending = False
        """Whether something changed since the last `place`."""
        self._new_line = False

    def changed(self, change: Change) -> None:
        """The document changed: does the burst go on, does another begin, or is it over?"""
        self._pending = True
        self._move = Move.TYPED
        self._new_line = False
        if change.whole:
            # An editor that sends whole texts tells nothing of its edits: the next cursor starts a new burst.
            self._drop()
            return
        for number, edit in enumerate(change.edits):
            if not self._take(edit.offset, len(edit.removed), len(edit.inserted)):
                if number:
                    self._move = Move.EDITED_ELSEWHERE
                    self._drop()
                    return
                self._begin(edit.offset, len(edit.inserted))
        if change.same_text_as is not None and not _is_key(change):
            self._move = Move.UNDONE
            self._drop()
        elif change.edits:
            self._new_line = not change.edits[-1].inserted.lstrip("\r\n \t") and "\n" in change.edits[-1].inserted

    def _take(self, offset: int, removed: int, inserted: int) -> bool:
        """Whether an edit lies within the burst; if so, the burst grows or shrinks with it."""
        if self._first is None:
            return False
        start = self._first if self._start is None else self._start
        if offset < start or offset + removed > self._end:
            return False
        self._end += inserted - removed
        return True

    def _begin(self, offset: int, inserted: int) -> None:
        self._first, self._start, self._end = offset, None, offset + inserted

    def _drop(self) -> None:
        self._first = self._start = None

    def place(self, snapshot: Snapshot) -> Place:
        """The cursor of `snapshot` in the burst; a new burst begins there if it is not in one.

        `snapshot` is of the document after the last change that `changed` was told of.
        """
        cursor = snapshot.offset
        if not self._inside(snapshot):
            if self._first is not None:
                self._move = Move.EDITED_ELSEWHERE if self._pending else Move.JUMPED
            elif not self._pending and cursor != self._cursor and self._cursor >= 0:
                self._move = Move.JUMPED
            self._new_line = False
            self._first = self._start = line_start(snapshot, cursor)
            self._end = cursor
        elif not self._pending and cursor != self._cursor:
            self._move = Move.JUMPED
            self._new_line = False
        if self._start is None:
            assert self._first is not None
            self._start = line_start(snapshot, self._first)
        if cursor - self._start > MAX_TYPED:
            self._start = line_start(snapshot, cursor)
        self._pending = False
        self._cursor = cursor
        return Place(self._start, cursor, self._end, self._move, self._new_line)

    def _inside(self, snapshot: Snapshot) -> bool:
        start = self._first if self._start is None else self._start
        if start is None or not start <= snapshot.offset <= self._end:
            return False
        return is_tail(snapshot.between(snapshot.offset, min(self._end, snapshot.offset + MAX_TAIL + 1)))


def _is_key(change: Change) -> bool:
    """Whether it is one character typed: someone who types again what they deleted undoes nothing."""
    return change.single and not change.removed and len(change.inserted) == 1


def is_tail(text: str) -> bool:
    """Whether an editor may have put `text` behind the cursor by itself: closers and white space."""
    return len(text) <= MAX_TAIL and all(character in CLOSERS or character.isspace() for character in text)


def line_start(snapshot: Snapshot, offset: int) -> int:
    """Where the line of `offset` starts; in a long line, a step before `offset` that seldom moves."""
    start = snapshot.text.line_offset(snapshot.text.position_at(offset).line)
    return start + max(0, offset - start) // LONG_LINE_STEP * LONG_LINE_STEP
