"""Where in the text before a cursor the keys of the tree begin; pure.

A key must not begin where the context's window does, for that moves. It begins a little before a block: a line, or
a piece of a long one. So what was generated within a block lies on one path of the tree, in the order in which it was
typed: what was typed since is found on the way down, and what was deleted since lies below. A text is looked for
under the block of its cursor and those before, as far back as a suggestion may have been typed through.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lsp_server.anchor import LONG_LINE_STEP

NEAR_BEFORE: Final = 256
"""Characters before a block that must be equal: some eight lines. Changes further up make an entry stale at most."""

BLOCK: Final = LONG_LINE_STEP
"""Characters of a line in one block. The anchor's step, so that a line whose start is out of sight is divided alike."""

WINDOWED: Final = 2_048
"""A text shorter than this begins where its document does; windows are longer."""


def blocks(text: str, anchor: int, earliest: int) -> Iterator[int]:
    """Where the blocks of `text` begin, the last first, down to the one that `earliest` lies in.

    `anchor` is where the burst of typing began. Up to NEAR_BEFORE there is one block only, which begins at 0.
    """
    end = len(text)
    while True:
        line = text.rfind("\n", 0, end) + 1
        # Of a line that begins before the window only this is known: the anchor is a whole number of steps from there.
        origin = anchor % BLOCK if not line and len(text) >= WINDOWED else line
        start = origin + (end - origin) // BLOCK * BLOCK
        while start >= line:
            if start < NEAR_BEFORE:
                yield 0
                return
            yield start
            if start <= earliest:
                return
            start -= BLOCK
        if not line:
            return
        end = line - 1


def key_of(text: str, start: int, language: str) -> str:
    """The key of `text` in the block that begins at `start`."""
    # The mark tells the start of a document from the middle of another that reads the same.
    return f"{language}\0.{text[start - NEAR_BEFORE :]}" if start else f"{language}\0^{text}"
