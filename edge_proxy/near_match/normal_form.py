"""A context without what does not matter: white space, comments, names of locals; pure.

Locals are numbered by their last use before the cursor, the nearest first, so that a renamed one has the same number.
The *anchor* is what has to be the same: the last tokens before the cursor, the first after it, and the indentation of
the line. Around it *shingles* (three tokens in a row, a local being any local) say how similar the rest is.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Final, NamedTuple

from edge_proxy.near_match.lexer import Token, ends_in_comment, tokens
from edge_proxy.near_match.locals import local_names
from wire_protocol.frames import Context

WINDOW_CHARS: Final = 1_600
"""Before the cursor: some 40 lines, which is what a next line mostly depends on; it bounds the cost of a look-up."""
AFTER_CHARS: Final = 200
ANCHOR_TOKENS: Final = 16
"""Before the cursor: the line and most of the one before."""
AFTER_TOKENS: Final = 4

_LOCAL: Final = "\0"
"""Stands for a local; no token is written so."""
_BETWEEN: Final = "\x1f"
"""Between tokens (ASCII's unit separator): kept as one text they need a tenth of the memory."""


class NormalForm(NamedTuple):
    """What is compared of a context."""

    anchor: bytes
    window: str
    """The tokens before the cursor."""
    locals: frozenset[str]
    """Names that these bind."""

    def words(self) -> list[str]:
        """The tokens of the window."""
        return self.window.split(_BETWEEN)


def normal_form(context: Context) -> NormalForm | None:
    """None if there is too little to compare, or the cursor is in a comment."""
    text = context.before + context.typed
    window = text[-WINDOW_CHARS:]
    if ends_in_comment(window, context.language):
        return None
    if len(text) > WINDOW_CHARS:
        window = window.partition("\n")[2]  # a whole line is the first, not the end of a string
    before = tokens(window, context.language)
    if len(before) < ANCHOR_TOKENS:
        return None
    after = tokens((context.tail + context.after)[:AFTER_CHARS], context.language)[:AFTER_TOKENS]
    bound = local_names(before)
    numbers: dict[str, int] = {}
    near = [_numbered(token, bound, numbers) for token in [*reversed(before[-ANCHOR_TOKENS:]), *after]]
    line = text.rpartition("\n")[2]
    # Whether a blank stands before the cursor decides where the next word begins.
    near += [line[: len(line) - len(line.lstrip())], str(line[-1:].isspace()), context.tail]
    return NormalForm(_digest(near), _BETWEEN.join(token.text for token in before), bound)


def similarity(one: NormalForm, other: NormalForm) -> float:
    """Shingles in common, of all (Jaccard 1901); from 0 to 1."""
    mine, theirs = _shingles(one), _shingles(other)
    return len(mine & theirs) / max(1, len(mine | theirs))


def renames(old: NormalForm, new: NormalForm) -> dict[str, str]:
    """By what each local of `old` is called in `new`, as far back from the cursor as the two are the same."""
    there: dict[str, str] = {}
    back: dict[str, str] = {}
    for was, now in zip(reversed(old.words()), reversed(new.words()), strict=False):
        if was in old.locals and now in new.locals:
            if there.get(was, now) != now or back.get(now, was) != was:
                break
            there[was], back[now] = now, was
        elif was != now:
            break
    return there


def _numbered(token: Token, bound: frozenset[str], numbers: dict[str, int]) -> str:
    if token.kind != "name" or token.text not in bound:
        return token.text
    return f"{_LOCAL}{numbers.setdefault(token.text, len(numbers))}"


def _shingles(form: NormalForm) -> set[tuple[tuple[str, str], tuple[str, str]]]:
    words = [_LOCAL if word in form.locals else word for word in form.words()]
    return set(pairwise(pairwise(words)))


def _digest(parts: Sequence[str]) -> bytes:
    digest = blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(4, "big") + data)
    return digest.digest()
