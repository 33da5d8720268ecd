"""A file cut into blocks of lines with their words, and re-cut after an edit where it changed only; pure.

Windows that are compared are runs of neighbouring blocks. A block that an edit did not touch is the same object in
the next version, wherever it moved to, so that an edit costs the words of one block and the windows over it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lsp_server.workspace.words import words

BLOCK_LINES: Final = 10
"""Lines of a fresh block: windows move in steps of so many."""
MAX_BLOCK_LINES: Final = 2 * BLOCK_LINES
"""A block that grew longer than this is cut again."""
MIN_BLOCK_LINES: Final = BLOCK_LINES // 2
"""What was re-cut and is shorter than this is joined with the block before it."""

NARROW: Final = 2
WIDE: Final = 4
"""Blocks of a window: 20 lines where few tokens can be spent, 40 where more can (`benchmarks/context`: the most similar
line of what is given; 60 lines, as others have it, are worse in both)."""


_STEP: Final = 40
"""Blocks cut at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some whole lines."""

    text: str
    lines: int
    words: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """A whole text. `sizes[width][i]` is how many different words blocks `i` to `i + width` have."""

    blocks: tuple[Block, ...]
    sizes: dict[int, tuple[int, ...]]

    @property
    def characters(self) -> int:
        """Of the whole text."""
        return sum(len(block.text) for block in self.blocks)

    def first_line(self, block: int) -> int:
        """The number of a block's first line, from 0."""
        return sum(each.lines for each in self.blocks[:block])


def cut(text: str) -> Blocks:
    """A text for the first time; its line endings are \\n."""
    steps = cutting(text)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            done: Blocks = end.value
            return done


def cutting(text: str) -> Generator[None, None, Blocks]:
    """The same in steps of about a millisecond."""
    blocks: list[Block] = []
    for number, lines in enumerate(_pieces(text, BLOCK_LINES), start=1):
        blocks.append(_block(lines))
        if number % _STEP == 0:
            yield None
    sizes = {}
    for width in (NARROW, WIDE):
        yield None
        sizes[width] = _sizes(blocks, width)
    return Blocks(tuple(blocks), sizes)


def recut(old: Blocks, text: str) -> Blocks:
    """The next version of a text: blocks before and after what changed are taken over."""
    start, lead = 0, 0
    while lead < len(old.blocks) and text.startswith(old.blocks[lead].text, start):
        start += len(old.blocks[lead].text)
        lead += 1
    if start == len(text) and lead == len(old.blocks):
        return old
    end, trail = len(text), 0
    while trail < len(old.blocks) - lead and text.endswith(old.blocks[-1 - trail].text, start, end):
        end -= len(old.blocks[-1 - trail].text)
        trail += 1
    if lead and text.count("\n", start, end) < MIN_BLOCK_LINES:
        lead -= 1
        start -= len(old.blocks[lead].text)
    kept = old.blocks[len(old.blocks) - trail :]
    blocks = (*old.blocks[:lead], *map(_block, _pieces(text[start:end], MAX_BLOCK_LINES)), *kept)
    sizes = {width: _resized(old.sizes[width], blocks, width, lead, trail) for width in old.sizes}
    return Blocks(blocks, sizes)


def _pieces(text: str, longest: int) -> Iterator[list[str]]:
    """The lines of each block: BLOCK_LINES, or all of them if they are no more than `longest`."""
    lines = text.split("\n")
    whole = [line + "\n" for line in lines[:-1]] + lines[-1:]
    if not whole[-1]:
        del whole[-1]
    if not whole:
        return
    step = BLOCK_LINES if len(whole) > longest else max(1, len(whole))
    starts = list(range(0, len(whole), step))
    if len(starts) > 1 and len(whole) - starts[-1] < MIN_BLOCK_LINES:
        del starts[-1]
    ends = [*starts[1:], len(whole)]
    for start, end in zip(starts, ends, strict=True):
        yield whole[start:end]


def _block(lines: Sequence[str]) -> Block:
    text = "".join(lines)
    return Block(text, len(lines), words(text))


def _size(blocks: Sequence[Block], at: int, width: int) -> int:
    return len(frozenset().union(*(block.words for block in blocks[at : at + width])))


def windows(blocks: int, width: int) -> int:
    """How many windows there are: one at least, over what there is, in a file that is shorter than a window."""
    return max(1, blocks - width + 1) if blocks else 0


def _sizes(blocks: Sequence[Block], width: int) -> tuple[int, ...]:
    return tuple(_size(blocks, at, width) for at in range(windows(len(blocks), width)))


def _resized(old: tuple[int, ...], blocks: Sequence[Block], width: int, lead: int, trail: int) -> tuple[int, ...]:
    """The sizes after an edit: those of windows that lie within the blocks taken over are taken over too."""
    count = windows(len(blocks), width)
    if len(blocks) < width or lead + trail < width:
        return _sizes(blocks, width)
    before, after = max(0, lead - width + 1), max(0, trail - width + 1)
    fresh = tuple(_size(blocks, at, width) for at in range(before, count - after))
    return (*old[:before], *fresh, *(old[len(old) - after :] if after else ()))
