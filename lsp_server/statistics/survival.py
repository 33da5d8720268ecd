"""Follows accepted texts through the edits of their documents for 30 s, and says what is left of each; pure.

Texts are in memory for those seconds only; what remains is a number.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from lsp_server.documents import REMEMBERED_CHARACTERS, Change
from lsp_server.statistics.kept import Kept, judge
from lsp_server.statistics.outcomes import Inserted
from lsp_server.statistics.suggestion import unix
from lsp_server.text_store import Edit

AFTER_S: Final = 30.0
"""Seconds after the acceptance: one of the delays of GitHub Copilot's telemetry (15, 30, 120, 300, 600 s). Longer ones
would miss more: by then many a file is closed."""

MAX_FOLLOWED: Final = 64
"""Acceptances in those seconds: two a second, which nobody keeps up."""

MARGIN: Final = 64
"""Characters around the expected place in which a text is looked for: an editor may have completed a word first."""


class Text(Protocol):
    """A document's own text."""

    def slice(self, start: int, end: int) -> str:
        """Between two offsets in code points, each brought within the text."""
        ...


Read = Callable[[str], Text | None]
"""The text of an open document by its URI."""


@dataclass(eq=False, slots=True)
class _Followed:
    inserted: Inserted
    due: float
    start: int = 0
    end: int = 0
    found: bool = False
    tried: int = 0


class Survival:
    """The accepted texts of a session. `read` gives the documents' texts as they are now."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._followed: deque[_Followed] = deque()
        self.tally: Counter[str] = Counter()
        """How many of each kind of `Kept`."""

    def accepted(self, inserted: Inserted, now: float) -> None:
        """A text was accepted: it stands in the document now, or will after the next change."""
        followed = _Followed(inserted, now + AFTER_S)
        self._locate(followed)
        self._followed.append(followed)
        if len(self._followed) > MAX_FOLLOWED:
            self._count(self._followed.popleft(), Kept.UNKNOWN)

    def changed(self, uri: str, change: Change) -> None:
        """A document changed, and can be read as it is now."""
        for followed in self._of(uri):
            if change.whole or any(_is_cut(edit) for edit in change.edits):
                self._forget(followed)
            elif followed.found:
                for edit in change.edits:
                    _move(followed, edit)
            else:
                self._locate(followed)
                if not followed.found:
                    self._forget(followed)

    def closed(self, uri: str) -> None:
        """A document was closed."""
        for followed in self._of(uri):
            self._forget(followed)

    def look(self, now: float) -> None:
        """Judge those whose time has come."""
        while self._followed and self._followed[0].due <= now:
            followed = self._followed.popleft()
            text = self._read(followed.inserted.uri) if followed.found else None
            if text is None:
                self._count(followed, Kept.UNKNOWN)
            else:
                self._count(followed, judge(followed.inserted.text, unix(text.slice(followed.start, followed.end))))

    def finish(self) -> None:
        """The session ends: what becomes of the rest is not known."""
        for followed in list(self._followed):
            self._forget(followed)

    def _of(self, uri: str) -> list[_Followed]:
        return [followed for followed in self._followed if followed.inserted.uri == uri]

    def _forget(self, followed: _Followed) -> None:
        self._followed.remove(followed)
        self._count(followed, Kept.UNKNOWN)

    def _count(self, followed: _Followed, kept: Kept) -> None:
        self.tally[str(kept)] += 1

    def _locate(self, followed: _Followed) -> None:
        """Find the text where the editor should have put it."""
        inserted = followed.inserted
        text = self._read(inserted.uri)
        if text is None:
            return
        for wanted in (inserted.text, inserted.text.replace("\n", "\r\n")):
            for start in (inserted.cursor - len(wanted), inserted.cursor, inserted.start):
                if start >= 0 and text.slice(start, start + len(wanted)) == wanted:
                    followed.start, followed.end, followed.found = start, start + len(wanted), True
                    return
            first = max(0, inserted.start - MARGIN)
            at = text.slice(first, inserted.cursor + len(wanted) + MARGIN).find(wanted)
            if at >= 0:
                followed.start, followed.end, followed.found = first + at, first + at + len(wanted), True
                return


def _move(followed: _Followed, edit: Edit) -> None:
    """Where the text is after an edit; one that reaches into it may have put a part of it anew."""
    end, growth = edit.offset + len(edit.removed), len(edit.inserted) - len(edit.removed)
    put_back = followed.start == followed.end == edit.offset  # it was deleted; a redo begins there
    if end <= followed.start and not put_back:
        followed.start += growth
        followed.end += growth
    elif edit.offset < followed.end or put_back:
        followed.start = min(followed.start, edit.offset)
        followed.end = max(followed.end, end) + growth


def _is_cut(edit: Edit) -> bool:
    """Whether an edit was so long that its length is not known."""
    return max(len(edit.removed), len(edit.inserted)) >= REMEMBERED_CHARACTERS
