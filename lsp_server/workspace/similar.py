"""The pieces of other files that are most like the code around a cursor: Jaccard index over identifiers; pure.

    score(window) = |words(window) & words(cursor)| / |words(window) | words(cursor)|

over windows of neighbouring blocks (P. Jaccard, 1912), as completion clients have it in one form or another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lsp_server.workspace.blocks import Blocks, windows

MIN_COMMON: Final = 3
"""Words in common below which nothing is said to be alike."""
MIN_SCORE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Source:
    """A file that snippets may be taken from; `path` is relative to its workspace folder `root`."""

    uri: str
    root: Path
    path: str
    family: str
    blocks: Blocks


@dataclass(frozen=True, slots=True)
class Window:
    """Some lines of a file, `first_line` to `last_line` (excluded, from 0), and how like the cursor's they are."""

    path: str
    first_line: int
    last_line: int
    text: str
    score: float


def similar(
    sources: Iterable[Source], wanted: frozenset[str], width: int, most: int, expired: Callable[[], bool]
) -> list[Window]:
    """The `most` best windows of `width` blocks that do not overlap, the best first.

    `expired` is asked before each file: what was found by then is given, so files that matter most come first.
    """
    found: list[tuple[float, str, int, Source]] = []
    if len(wanted) < MIN_COMMON:
        return []
    for source in sources:
        if expired():
            break
        found += _best_of(source, wanted, width, most)
    found.sort(key=lambda each: (-each[0], each[1], each[2]))
    return [_window(source, at, width, score) for score, _, at, source in found[:most]]


def _best_of(source: Source, wanted: frozenset[str], width: int, most: int) -> list[tuple[float, str, int, Source]]:
    blocks, sizes = source.blocks.blocks, source.blocks.sizes[width]
    hits = [block.words & wanted for block in blocks]
    scored = []
    for at in range(windows(len(blocks), width)):
        common = len(hits[at].union(*hits[at + 1 : at + width]))
        if common >= MIN_COMMON:
            score = common / (sizes[at] + len(wanted) - common)
            if score >= MIN_SCORE:
                scored.append((score, at))
    scored.sort(key=lambda each: (-each[0], each[1]))
    chosen: list[tuple[float, int]] = []
    for score, at in scored:
        if all(abs(at - other) >= width for _, other in chosen):
            chosen.append((score, at))
            if len(chosen) == most:
                break
    return [(score, source.path, at, source) for score, at in chosen]


def _window(source: Source, at: int, width: int, score: float) -> Window:
    blocks = source.blocks.blocks[at : at + width]
    first = source.blocks.first_line(at)
    text = "".join(block.text for block in blocks)
    return Window(source.path, first, first + sum(block.lines for block in blocks), text, score)
