"""What each `didChange` of a document was as a key: typed, deleted, composed by an input method, put in; pure."""

from __future__ import annotations

from enum import Enum
from typing import Final

from lsp_server.anchor import CLOSERS
from lsp_server.documents import Change

BURST_OF_DELETIONS: Final = 2
"""Deletions in a row that are no longer the mending of a slip: the person takes something away."""

COMPOSING_S: Final = 2.0
"""Seconds between two replacements of the same text within which they belong to one composition."""

ECHO_S: Final = 0.02
"""Seconds within which a closing bracket after an opening one is the editor's: hands are not as fast."""

_OPENERS: Final = frozenset("([{<\"'`")
_MAX_PAIR: Final = 6
"""Characters of an opening bracket or quote with what the editor closes it by: `\"""` twice."""


class Boundary(Enum):
    """What the text before the cursor ends at: how long a person pauses depends on it."""

    WORD = "word"
    """Inside a word."""
    DOT = "dot"
    OPEN = "open"
    """After an opening bracket or quote."""
    SPACE = "space"
    """After a space, an operator, a comma, a closing bracket."""
    LINE = "line"
    """At the start of a new line."""


class Key(Enum):
    """One `didChange`, as far as it shows what the person did."""

    TYPED = "typed"
    """One character (with what the editor adds to it), or a line break with its indentation."""
    DELETED = "deleted"
    COMPOSED = "composed"
    """An input method replaced what it had put there before."""
    PUT = "put"
    """More text at once: pasted, or a suggestion accepted."""
    OTHER = "other"
    """Several places, a replacement, the whole text."""


class Keys:
    """Follows one document's changes. Times are clock seconds."""

    __slots__ = ("_composed_from", "_composed_text", "at", "backspaced", "boundary", "composing", "deletions")

    def __init__(self) -> None:
        self.at: float | None = None
        """When the last key was pressed; None before the first."""
        self.boundary: Boundary | None = None
        """Where the last key left the cursor; None unless it was typed."""
        self.deletions = 0
        """Deletions in a row, this one included."""
        self.backspaced = False
        """Whether the last key took one character away; an undo takes more, mostly, and what it took is unwanted."""
        self.composing = False
        """Whether an input method is at work."""
        self._composed_from = -1
        self._composed_text = ""

    @property
    def deletes(self) -> bool:
        """Whether the person takes text away, rather than mending one slip."""
        return self.deletions >= BURST_OF_DELETIONS

    def changed(self, change: Change) -> Key:
        """The document changed: what that was."""
        if self._is_echo(change):
            return Key.OTHER
        key = self._kind(change)
        self.deletions = self.deletions + 1 if key is Key.DELETED else 0
        self.backspaced = key is Key.DELETED and len(change.removed) == 1
        self.composing = key is Key.COMPOSED
        edit = change.edits[0] if change.single else None
        self._composed_from, self._composed_text = (edit.offset, edit.inserted) if edit is not None else (-1, "")
        self.boundary = boundary_of(change.edits[0].inserted) if key is Key.TYPED else None
        self.at = change.at
        return key

    def _is_echo(self, change: Change) -> bool:
        """What the editor adds to a key in a message of its own: the bracket that closes one."""
        inserted = change.inserted
        soon = self.at is not None and change.at - self.at < ECHO_S
        return self.boundary is Boundary.OPEN and soon and bool(inserted) and set(inserted) <= CLOSERS

    def _kind(self, change: Change) -> Key:
        if change.whole or not change.edits:
            return Key.OTHER
        first = change.edits[0]
        if not change.single:
            return Key.TYPED if self._is_closed_by_editor(change) else Key.OTHER
        if self._composes(change):
            return Key.COMPOSED
        if first.removed and not first.inserted:
            return Key.DELETED
        if first.removed and first.removed != first.inserted:  # typing over a closed bracket removes what it inserts
            return Key.OTHER
        return Key.TYPED if is_one_key(first.inserted) else Key.PUT

    @staticmethod
    def _is_closed_by_editor(change: Change) -> bool:
        """A bracket typed and, as a second edit at the same place, closed."""
        first, *others = change.edits
        end = first.offset + len(first.inserted)
        return (
            not first.removed
            and len(first.inserted) == 1
            and all(edit.offset == end and not edit.removed and set(edit.inserted) <= CLOSERS for edit in others)
        )

    def _composes(self, change: Change) -> bool:
        """The same place again, soon: what was put there is replaced, and is or was not ASCII.

        Input methods tell an editor of each step of a composition as a replacement of the step before.
        """
        edit = change.edits[0]
        return (
            bool(self._composed_text)
            and edit.offset == self._composed_from
            and edit.removed == self._composed_text
            and edit.inserted != edit.removed
            and bool(edit.inserted or self.composing)
            and not (edit.inserted + edit.removed).isascii()
            and self.at is not None
            and change.at - self.at <= COMPOSING_S
        )


def is_one_key(inserted: str) -> bool:
    """Whether one key press may have inserted this: a character, a closed pair, a line break with indentation."""
    if len(inserted) == 1:
        return True
    if inserted[:1] in _OPENERS and len(inserted) <= _MAX_PAIR:
        return all(character in CLOSERS for character in inserted[1:])
    return inserted[:1] in ("\n", "\r", " ", "\t") and not inserted.strip()


def boundary_of(inserted: str) -> Boundary:
    """Where a key that inserted this leaves the cursor."""
    first = inserted[:1]
    if "\n" in inserted or "\r" in inserted:
        return Boundary.LINE
    if first == ".":
        return Boundary.DOT
    if first in _OPENERS:
        return Boundary.OPEN
    return Boundary.WORD if first.isalnum() or first == "_" else Boundary.SPACE


def cursor_after(change: Change) -> int | None:
    """Where the cursor most probably is after a key was typed, in code points; None if that cannot be told."""
    if not change.single:
        return None
    edit = change.edits[0]
    if edit.inserted[:1] in _OPENERS and len(edit.inserted) == 2:
        return edit.offset + 1
    # With more than one line break the cursor may be between them, as after Return within brackets.
    if len(edit.inserted) == 1 or (edit.inserted[:1].isspace() and edit.inserted.count("\n") == 1):
        return edit.offset + len(edit.inserted)
    return None
