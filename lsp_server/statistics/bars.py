"""Numbers as rows of block characters; pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from lsp_server.statistics.histogram import AN_OCTAVE, HIGHEST, LOWEST

BLOCKS: Final = " ▁▂▃▄▅▆▇█"
PLAIN: Final = " .:-=+*#@"
"""Where a terminal has ASCII only."""

MERGED: Final = AN_OCTAVE // 2
"""Buckets to a column: half an octave, so that 1 ms to 10 s are 27 columns."""
TICKS_MS: Final = (0.1, 1, 10, 100, 1_000, 10_000)


def row(values: Sequence[float], blocks: str = BLOCKS) -> str:
    """One character a value, as high as it is beside the largest; what is there at all is seen."""
    top = max(values, default=0)
    if top <= 0:
        return blocks[0] * len(values)
    steps = len(blocks) - 1
    return "".join(blocks[math.ceil(steps * max(0.0, value) / top)] for value in values)


def share(value: float, width: int, blocks: str = BLOCKS) -> str:
    """A bar of `width` characters for a share from 0 to 1."""
    full = round(max(0.0, min(1.0, value)) * width)
    return (blocks[-1] * full).ljust(width, blocks[1])


class Times:
    """Histograms on one axis: columns from the shortest time in any of them to the longest."""

    def __init__(self, histograms: Sequence[Mapping[int, int]]) -> None:
        numbers = [_column(number) for counts in histograms for number in counts]
        self._first = min(numbers, default=_column(LOWEST))
        self._last = max(numbers, default=_column(HIGHEST))

    def bars(self, counts: Mapping[int, int], blocks: str = BLOCKS) -> str:
        """One character a column."""
        columns: Counter[int] = Counter()
        for number, count in counts.items():
            columns[_column(number)] += count
        return row([columns[number] for number in range(self._first, self._last + 1)], blocks)

    def axis(self) -> str:
        """The times below the columns that they fall into."""
        text = ""
        for tick in TICKS_MS:
            at = _column(math.ceil(AN_OCTAVE * math.log2(tick))) - self._first
            label = f"{tick:g}" if tick < 1_000 else f"{tick / 1_000:g}s"
            if len(text) + bool(text) <= at <= self._last - self._first:
                text = text.ljust(at) + label
        return text


def _column(number: int) -> int:
    return (number + MERGED - 1) // MERGED
