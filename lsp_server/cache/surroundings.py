"""What stands around a suggestion, and whether it is still the same; pure.

What is near must agree, or the suggestion does not fit: the text before the cursor (that is the tree's part), and
the text after it, but for what an editor closes by itself and a person types over. What is far only helped the
model, so a change there makes a suggestion stale, not wrong: far text before and after, snippets, the file's name.
"""

from __future__ import annotations

import string
from functools import cached_property
from typing import Final, NamedTuple

from lsp_server.anchor import CLOSERS, MAX_TAIL
from lsp_server.cache.blocks import NEAR_BEFORE
from lsp_server.code_lines import PAIRS
from wire_protocol.frames import Context

NEAR_AFTER: Final = 256
"""Characters after the cursor that must agree: the lines a suggestion could run into."""
FAR_AFTER: Final = 512
"""Characters after those by which a change is noticed: with them and a tail still within every window."""
FAR_BEFORE: Final = 1_536
"""Characters before the near ones by which a change is noticed: with them and 512 typed still within every window."""

_QUOTES: Final = frozenset("\"'`")
_TAIL: Final = "".join(CLOSERS) + string.whitespace
"""What an editor puts behind the cursor by itself; as `anchor.is_tail`."""


class Surroundings(NamedTuple):
    """Of one suggestion. What is far is kept as hashes: a wrong "unchanged" is as rare as two equal 64-bit hashes."""

    rest: str
    """The first NEAR_AFTER characters after the cursor, the tail among them."""
    far_before: int
    far_after: int
    snippets: int
    path: str


class Here:
    """What stands around a cursor; each part is made when it is first asked for."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.text = context.before + context.typed
        self.path = context.path
        self.rest = context.tail + context.after

    @cached_property
    def snippets(self) -> int:
        """Of the snippets."""
        return hash(tuple((snippet.path, snippet.text) for snippet in self._context.snippets))

    def far_before(self, start: int) -> int:
        """Of what is far before the block that begins at `start`."""
        end = max(0, start - NEAR_BEFORE)
        return hash(self.text[max(0, end - FAR_BEFORE) : end])

    def far_after(self, shift: int) -> int:
        """Of what is far after the cursor, for a suggestion since which the rest grew by `shift` characters."""
        start = NEAR_AFTER + shift
        return hash(self.rest[start : start + FAR_AFTER])

    def surroundings(self, start: int) -> Surroundings:
        """To keep with a suggestion for this cursor, whose block begins at `start`."""
        return Surroundings(self.rest[:NEAR_AFTER], self.far_before(start), self.far_after(0), self.snippets, self.path)

    def is_stale(self, old: Surroundings, start: int, shift: int) -> bool:
        """Whether what is far changed since."""
        return (old.far_after, old.snippets, old.far_before, old.path) != (
            self.far_after(shift),
            self.snippets,
            self.far_before(start),
            self.path,
        )


def grown_by(old: str, rest: str, typed: str) -> int | None:
    """By how many characters what follows the cursor grew while `typed` was typed; None if more changed than that.

    `old` is the first NEAR_AFTER characters of it before, `rest` what follows now. While a person types, an editor may
    close brackets (`rest` begins with them) and the person may type over those that were there (they are gone from
    `old` and among what was typed, in its order).
    """
    if rest[:NEAR_AFTER] == old:
        return 0
    if not typed:
        return None
    closable = _tail_length(rest)
    for overtyped in range(_tail_length(old) + 1):
        if not _is_subsequence(old[:overtyped], typed):
            return None
        kept = old[overtyped:]
        # A rest shorter than what is kept of it goes to the end of the document, and must do so still.
        whole = len(old) < NEAR_AFTER
        closed = len(rest) - len(kept) if whole else rest.find(kept, 0, closable + len(kept))
        if 0 <= closed <= closable and rest.startswith(kept, closed):
            return closed - overtyped
    return None


def _tail_length(text: str) -> int:
    """How many characters at the start of `text` an editor may have put there."""
    start = text[:MAX_TAIL]
    return len(start) - len(start.lstrip(_TAIL))


def shrunk_by(old: str, rest: str, deleted: str) -> int | None:
    """By how many characters what follows the cursor shrank while `deleted` was deleted before it; None if it changed.

    An editor deletes with a bracket the one that it had closed it with.
    """
    closers = _closers(deleted)
    for gone in range(len(closers) + 1):
        if old[:gone] == closers[:gone] and rest[: NEAR_AFTER - gone] == old[gone:]:
            return gone
    return None


def _closers(text: str) -> str:
    """What closes the brackets and quotes that `text` opens, the innermost first."""
    closers: list[str] = []
    for character in text:
        if closers and closers[-1] == character:
            closers.pop()
        elif character in PAIRS or character in _QUOTES:
            closers.append(PAIRS.get(character, character))
    return "".join(reversed(closers))


def _is_subsequence(wanted: str, text: str) -> bool:
    characters = iter(text)
    return all(character in characters for character in wanted)
