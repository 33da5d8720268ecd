"""What was edited recently, as compact diffs: keys that touch the same lines soon after one another are one; pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lsp_server.documents import Change
from lsp_server.text_store import TextView
from wire_protocol.text import clean

COALESCE_S: Final = 60.0
"""Seconds after which another edit of the same lines is another step of thought."""
GAP_LINES: Final = 1
"""Lines between two edits that still are one."""
MAX_EDIT: Final = 2_000
"""Characters: a longer one is a paste or a reload, which says nothing of what a person is at."""
MAX_LINES: Final = 24
"""Lines of one region."""
MAX_REGIONS: Final = 16
"""Over all documents."""


@dataclass(frozen=True, slots=True)
class Region:
    """Lines `first` to `last` (from 0) of a document, and what stood there before (`old`); clock seconds."""

    uri: str
    path: str
    family: str
    first: int
    last: int
    old: tuple[str, ...]
    new: tuple[str, ...]
    at: float

    @property
    def diff(self) -> str:
        """Removed lines after "-", added ones after "+", without those that are the same; "" if nothing changed."""
        old, new = list(self.old), list(self.new)
        while old and new and old[0] == new[0]:
            del old[0], new[0]
        while old and new and old[-1] == new[-1]:
            del old[-1], new[-1]
        changed = [f"-{line}\n" for line in old if line.strip()] + [f"+{line}\n" for line in new if line.strip()]
        return "".join(changed)


class RecentEdits:
    """Of all documents, the latest last. Costs microseconds a key: only the edited lines are looked at."""

    def __init__(self) -> None:
        self._regions: deque[Region] = deque(maxlen=MAX_REGIONS)
        self._open: set[str] = set()
        """Documents whose latest region can still grow: nothing else was edited there since."""

    @property
    def regions(self) -> Sequence[Region]:
        """The latest last."""
        return tuple(self._regions)

    def changed(self, uri: str, path: str, family: str, view: TextView, change: Change) -> None:
        """A change was applied to a document; `view` is its text now."""
        edit = change.edits[0] if change.single else None
        if edit is None or max(len(edit.removed), len(edit.inserted)) > MAX_EDIT:
            self._open.discard(uri)
            return
        first = view.position_at(edit.offset).line
        last = first + clean(edit.removed).count("\n")
        delta = clean(edit.inserted).count("\n") - clean(edit.removed).count("\n")
        region = self._growing(uri, first, last, change.at)
        low, high = (first, last) if region is None else (min(first, region.first), max(last, region.last))
        if high + max(delta, 0) - low >= MAX_LINES:
            if region is None:
                return
            region, low, high = None, first, last
        start, end = view.line_offset(low), view.line_offset(high + delta + 1)
        text = view.slice(start, end)
        at = edit.offset - start
        before = _lines(text[:at] + edit.removed + text[at + len(edit.inserted) :], high - low + 1)
        old = before
        if region is not None:
            old = [*before[: region.first - low], *region.old, *before[region.last - low + 1 :]]
            self._regions.remove(region)
        new = _lines(text, high + delta - low + 1)
        self._regions.append(Region(uri, path, family, low, high + delta, tuple(old), tuple(new), change.at))
        self._open.add(uri)

    def _growing(self, uri: str, first: int, last: int, now: float) -> Region | None:
        """The document's latest region, if an edit of these lines goes on with it."""
        if uri not in self._open:
            return None
        region = next((each for each in reversed(self._regions) if each.uri == uri), None)
        if region is None or now - region.at > COALESCE_S:
            return None
        touches = first <= region.last + GAP_LINES and last >= region.first - GAP_LINES
        return region if touches else None

    def closed(self, uri: str) -> None:
        """What was edited in a closed document stays; it grows no more."""
        self._open.discard(uri)

    def forget(self, uri: str) -> None:
        """A document whose text may not be used any more."""
        self._open.discard(uri)
        self._regions = deque((each for each in self._regions if each.uri != uri), maxlen=MAX_REGIONS)


def _lines(text: str, count: int) -> list[str]:
    """`count` lines without their endings."""
    lines = clean(text).split("\n")[:count]
    return lines + [""] * (count - len(lines))
