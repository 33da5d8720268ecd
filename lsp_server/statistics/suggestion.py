"""What becomes of one suggestion, from when it was given to its end; a pure state machine.

An editor reports little: the command of an accepted item, and some of them what was shown or accepted in part. The rest
is inferred from the edits of the document, and named so. A longer text that begins with what stands is the same
suggestion, and so is what is left of it after typing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lsp_server.anchor import is_tail
from lsp_server.text_store import Edit

AT_ONCE: Final = 4
"""Characters that one edit puts in and nobody types within the time in which an editor collects keys (150 ms)."""


class Outcome(StrEnum):
    """How a suggestion ended; each ends in one way."""

    ACCEPTED = "accepted"
    """The editor said so: the item's command, or a part that is all of it."""
    ACCEPTED_INFERRED = "accepted_inferred"
    """All of the rest came with one edit, in an editor that does not report acceptance."""
    PARTLY = "accepted_partly"
    """The editor said that a part was accepted; the rest was not."""
    TYPED_THROUGH = "typed_through_inferred"
    """The person typed it to its end."""
    DISMISSED = "dismissed_inferred"
    """The person typed something else, or moved away."""
    IGNORED = "ignored_inferred"
    """It went without anything said against it: the file was closed or reloaded, another text took its place."""


def unix(text: str) -> str:
    """`text` of a document with the line endings of suggestions."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


@dataclass(eq=False, slots=True)
class Suggestion:
    """Offsets are code points of the document's own text, where line endings may be longer than in `text`."""

    uri: str
    channel: str
    language: str
    source: str
    start: int
    """Where it was first given."""
    text: str
    """From there on; grows when it is extended."""
    infers_accepts: bool = False
    """Whether the editor does not report acceptance."""
    typed: str = ""
    """What stands in the document from `start` to the cursor; agrees with `text`."""
    shown: bool = False
    """Whether the editor reported it shown."""
    outdated: bool = False
    """Whether the document had changed before it was given, so that the editor most probably threw it away."""
    accepted_characters: int = 0
    accept_keys: int = 0
    outcome: Outcome | None = None
    """None while it stands."""
    given_at: float = 0.0
    """When it was first given, in clock seconds."""
    ended_at: float = 0.0
    """When it ended, in clock seconds."""

    @property
    def cursor(self) -> int:
        """Where the cursor is while it stands."""
        return self.start + len(self.typed)

    @property
    def rest(self) -> str:
        """What of it is not in the document."""
        return self.text[len(unix(self.typed)) :]

    def extend(self, offset: int, text: str) -> bool:
        """`text` was given at `offset`: whether that is this suggestion, which then goes on with it."""
        if self.outcome is not None or offset != self.cursor:
            return False
        rest = self.rest
        if not (text.startswith(rest) or rest.startswith(text)):
            return False
        self.text = unix(self.typed) + text
        return True

    def move(self, offset: int, between: str) -> None:
        """The cursor is at `offset`; `between` is the text from where it was to there, "" if it went back."""
        if self.outcome is not None or offset == self.cursor:
            return
        if between and self.rest.startswith(unix(between)):
            self._type(self.typed + between, at_once=0)  # a bracket that the editor had closed was typed over
        else:
            self._end(Outcome.DISMISSED)

    def edit(self, edit: Edit) -> None:
        """The document changed in one place."""
        if self.outcome is not None:
            return
        end = edit.offset + len(edit.removed)
        if edit.offset > self.cursor:
            return
        if end < self.start or (end == self.start and self.typed and not edit.removed):
            self.start += len(edit.inserted) - len(edit.removed)
        elif edit.offset < self.start or not is_tail(edit.removed[self.cursor - edit.offset :]):
            self._end(Outcome.DISMISSED)
        else:
            kept = self.typed[: edit.offset - self.start]
            self._type(kept + edit.inserted + self.typed[end - self.start :], at_once=len(edit.inserted))

    def _type(self, typed: str, at_once: int) -> None:
        """`typed` stands from the start on, `at_once` characters of it by one edit."""
        plain = unix(typed)
        if not self.text.startswith(plain):
            agreed = _agreed(plain, self.text)
            if agreed >= len(self.text.rstrip()):
                self._complete(at_once)
            elif agreed > len(unix(self.typed)) and is_tail(plain[agreed:]):
                # The editor closed a bracket behind the cursor.
                self.typed = typed[: len(typed) - (len(plain) - agreed)]
            else:
                self._end(Outcome.DISMISSED)
            return
        self.typed = typed
        if not self.rest.strip():
            self._complete(at_once)

    def _complete(self, at_once: int) -> None:
        """All of it stands in the document."""
        if self.infers_accepts and at_once >= AT_ONCE:
            self.accept(min(at_once, len(self.text)))
            self.outcome = Outcome.ACCEPTED_INFERRED
        else:
            self._end(Outcome.TYPED_THROUGH)

    def accept(self, characters: int) -> None:
        """So many more of its characters were accepted, with one key; all of the rest of it."""
        self.accept_part(characters)
        self.outcome = Outcome.ACCEPTED

    def accept_part(self, characters: int) -> None:
        """So many more of its characters were accepted, with one key."""
        self.accepted_characters += characters
        self.accept_keys += 1

    def ignore(self) -> None:
        """It is gone, for no reason that tells anything."""
        self._end(Outcome.IGNORED)

    def _end(self, outcome: Outcome) -> None:
        if self.outcome is None:
            self.outcome = Outcome.PARTLY if self.accepted_characters else outcome


def _agreed(one: str, other: str) -> int:
    limit = min(len(one), len(other))
    return next((at for at in range(limit) if one[at] != other[at]), limit)
