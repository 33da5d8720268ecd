"""How far texts agree with what is typed: a decayed estimate of survival by characters; pure.

Survival with delayed entry and censoring, as Kaplan and Meier estimate it (Journal of the American Statistical
Association 53, 1958), with a hazard that is constant within each of a few bins of length, so that a handful of
texts says something. A text enters at the character at which it could first be shown, it fails where it is
contradicted, and it is censored where it was typed or accepted to its end, or where the person went elsewhere.
"""

from __future__ import annotations

import math
from typing import Final

EDGES: Final = (0, 2, 6, 16, 48)
"""Characters from where a text was generated, at which the bins begin: within a word, the next, a statement, lines."""

HALF_LIFE: Final = 16
"""Texts after which one counts half: the last screen of code. Who was wrong all along and is right now is believed
again within as many."""

PRIOR_CHARACTERS: Final = 6.0
"""The weight of the prior: a word, so that the first contradiction tells."""
PRIOR_HAZARD: Final = 0.001
"""A chance per character: nothing is known to be wrong with a source until it was. At ten times as much the second line
of a first suggestion would be cut, and nobody could see what several lines are worth."""

SHARED_CHARACTERS: Final = 20.0
"""The weight in a bin of what is known over all bins."""


class Survival:
    """The chance that what is typed goes on as a text does, by how much of the text that is."""

    def __init__(self) -> None:
        self._keep = 0.5 ** (1 / HALF_LIFE)
        self._typed = [0.0] * len(EDGES)
        """Characters typed in agreement, by bin; with the one that contradicted."""
        self._failed = [0.0] * len(EDGES)
        """Texts contradicted, by bin."""

    def begin(self) -> None:
        """One more text is followed: those before it count less."""
        self._typed = [each * self._keep for each in self._typed]
        self._failed = [each * self._keep for each in self._failed]

    def agreed(self, start: int, end: int) -> None:
        """The characters of a text from `start` to `end` were typed, or accepted."""
        for number, (low, high) in enumerate(_bins()):
            self._typed[number] += max(0.0, min(end, high) - max(start, low))

    def contradicted(self, at: int) -> None:
        """Another character was typed than the text has at `at`."""
        number = _bin(at)
        self._typed[number] += 1.0
        self._failed[number] += 1.0

    def take_back(self, at: int) -> None:
        """What contradicted a text at `at` was a slip, which has been mended."""
        number = _bin(at)
        self._typed[number] = max(0.0, self._typed[number] - 1.0)
        self._failed[number] = max(0.0, self._failed[number] - 1.0)

    def hazard(self, number: int) -> float:
        """The chance per character, in a bin, that another is typed."""
        failed = sum(self._failed) + PRIOR_HAZARD * PRIOR_CHARACTERS
        shared = failed / (sum(self._typed) + PRIOR_CHARACTERS)
        return (self._failed[number] + SHARED_CHARACTERS * shared) / (self._typed[number] + SHARED_CHARACTERS)

    def survives(self, start: int, end: int) -> float:
        """The chance that a text that has agreed up to `start` agrees up to `end`; characters."""
        total = 0.0
        for number, (low, high) in enumerate(_bins()):
            length = min(end, high) - max(start, low)
            if length > 0:
                total += length * -math.log1p(-min(self.hazard(number), _CERTAIN))
        return math.exp(-total)

    def reach(self, chance: float, at_most: int) -> int:
        """Up to which character, from 0, a text survives with this chance or more; `at_most` if further."""
        left = -math.log(chance)
        for number, (low, high) in enumerate(_bins()):
            rate = -math.log1p(-min(self.hazard(number), _CERTAIN))
            if rate * (high - low) > left:
                return min(at_most, low + int(left / rate))
            left -= rate * (high - low)
        return at_most


_CERTAIN: Final = 0.999
_FAR: Final = 1_000_000_000
"""Characters that no text has."""


def _bins() -> list[tuple[int, int]]:
    return list(zip(EDGES, (*EDGES[1:], _FAR), strict=True))


def _bin(at: int) -> int:
    return max(number for number, low in enumerate(EDGES) if at >= low)
