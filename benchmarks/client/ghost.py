"""Ghost text as VS Code keeps it: typed through while it agrees; and when it is right; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from benchmarks.client.editor_model import CLOSERS, PAIRS, Edit


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client answers at the cursor: `text` in place of `replaced` characters after the cursor."""

    text: str
    replaced: int = 0
    token: object = None
    """Given back to the client when the suggestion is accepted."""


@dataclass(frozen=True, slots=True)
class Ghost:
    """A suggestion on screen: `text` in place of the document's range from `start` to `end`."""

    start: int
    end: int
    text: str
    token: object = None

    @classmethod
    def of(cls, answer: Answer, cursor: int) -> Ghost | None:
        """The ghost text of an answer; None if it shows nothing."""
        if not answer.text:
            return None
        return cls(cursor, cursor + answer.replaced, answer.text, answer.token)

    def after(self, edit: Edit, document: str, cursor: int) -> Ghost | None:
        """What stands after `edit` gave `document`: the same if what was typed agrees with it, else nothing.

        An edit inside the range widens it, so that a bracket which the editor closes by itself becomes part of what
        the suggestion replaces, as in VS Code.
        """
        if edit.start < self.start or edit.end > self.end:
            return None
        end = self.end + len(edit.text) - (edit.end - edit.start)
        moved = Ghost(self.start, end, self.text, self.token)
        typed, beyond = document[self.start : cursor], document[cursor:end]
        if not self.text.startswith(typed) or not _subsequence(beyond, self.text[len(typed) :]):
            return None
        return moved if len(typed) < len(self.text) else None

    def seen(self, cursor: int) -> tuple[str, int]:
        """What accepting inserts at the cursor, and how many characters after the cursor it replaces."""
        return self.text[cursor - self.start :], self.end - cursor


Verdict = Literal["right", "partly", "wrong"]
_WORD: Final = re.compile(r"\W*\w+|\W+")
"""What "accept word" takes, about as VS Code does."""


def judge(wanted: str, typed: str, tail: str, insert: str, replaced: int) -> Verdict:
    """What ghost text is worth: all of it is wanted, or its first word at least, or not even that.

    One that would double an auto-closed bracket is wrong however it begins.
    """
    if is_right(wanted, typed, tail, insert, replaced):
        return "right"
    rest = wanted[len(typed) :] if wanted.startswith(typed) else ""
    word = _WORD.match(insert)
    if word is None or not rest.startswith(word.group()) or rest.startswith(insert):
        return "wrong"
    return "partly"


def is_right(wanted: str, typed: str, tail: str, insert: str, replaced: int) -> bool:
    """Whether accepting `insert` brings the person nearer to `wanted`, of which `typed` stands before the cursor.

    `tail` are brackets that the editor closed: the insertion must not double one. One that it takes is typed later.
    """
    if not insert or not wanted.startswith(typed) or replaced > len(tail):
        return False
    rest = wanted[len(typed) :]
    if not rest.startswith(insert):
        return False
    left = tail[replaced:]
    return unmatched_closers(rest[len(insert) :])[: len(left)] == left


def unmatched_closers(text: str) -> str:
    """The closing brackets of `text` that close nothing in it, in order."""
    depth: list[str] = []
    found = []
    for character in text:
        if character in PAIRS:
            depth.append(PAIRS[character])
        elif character in CLOSERS:
            if depth and depth[-1] == character:
                depth.pop()
            else:
                found.append(character)
    return "".join(found)


def balanced(text: str) -> bool:
    """Whether every bracket of `text` is opened and closed in it, in order."""
    depth: list[str] = []
    for character in text:
        if character in PAIRS:
            depth.append(PAIRS[character])
        elif character in CLOSERS and (not depth or depth.pop() != character):
            return False
    return not depth


def _subsequence(part: str, whole: str) -> bool:
    rest = iter(whole)
    return all(character in rest for character in part)
