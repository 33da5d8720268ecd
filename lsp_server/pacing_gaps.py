"""How long this person pauses after what: decayed histograms of the times between keys, by boundary; pure.

Times between keys spread over three orders of magnitude and are close to log-normal (Dhakal et al., "Observations on
Typing from 136 Million Keystrokes", CHI 2018), so the bins are equal in the logarithm of time.
"""

from __future__ import annotations

import math
from typing import Final

from lsp_server.keys import Boundary

SHORTEST_S: Final = 0.02
"""Two keys within less are one movement of the hand, or an editor's macro."""
BINS_PER_OCTAVE: Final = 4
"""A bin is 19 % wide: finer than a person's rhythm is regular."""
OCTAVES: Final = 9
"""Up to 10.24 s; whoever pauses longer pauses."""
HALF_LIFE_KEYS: Final = 500
"""Of one boundary: some minutes of typing, so that a tired hand or another keyboard shows."""
MIN_KEYS: Final = 24
"""Over all boundaries, before anything is taken for known."""
BACK_OFF_KEYS: Final = 12
"""The weight of all boundaries together in the estimate for one: as many keys as make it count half."""

_BINS: Final = BINS_PER_OCTAVE * OCTAVES


class _Histogram:
    __slots__ = ("bins", "weight")

    def __init__(self) -> None:
        self.bins = [0.0] * _BINS
        self.weight = 0.0

    def add(self, at: int, keep: float) -> None:
        if keep < 1.0:
            self.bins = [each * keep for each in self.bins]
        self.bins[at] += 1.0
        self.weight = self.weight * keep + 1.0

    def above(self, at: float) -> float:
        """The weight above a place on the bins' scale, linear within a bin."""
        whole = int(at)
        return sum(self.bins[whole + 1 :]) + self.bins[whole] * (whole + 1 - at)


class Gaps:
    """The times from one key to the next of one person. `half_life_keys` 0: nothing is forgotten."""

    def __init__(self, half_life_keys: int = HALF_LIFE_KEYS) -> None:
        self._keep = 0.5 ** (1 / half_life_keys) if half_life_keys else 1.0
        self._by_boundary = {boundary: _Histogram() for boundary in Boundary}
        self._all = _Histogram()

    @property
    def known(self) -> bool:
        """Whether enough was seen to tell anything."""
        return self._all.weight >= MIN_KEYS

    def add(self, boundary: Boundary, seconds: float) -> None:
        """The key after `boundary` came `seconds` after it."""
        at = min(_BINS - 1, int(_scale(seconds)))
        self._by_boundary[boundary].add(at, self._keep)
        self._all.add(at, self._keep)

    def longer(self, boundary: Boundary, seconds: float) -> float:
        """The chance that the gap after `boundary` is longer than `seconds`; 1 while nothing was seen."""
        if not self._all.weight:
            return 1.0
        at = _scale(seconds)
        if at >= _BINS:
            return 0.0
        own = self._by_boundary[boundary]
        usual = self._all.above(at) / self._all.weight
        return (own.above(at) + BACK_OFF_KEYS * usual) / (own.weight + BACK_OFF_KEYS)

    def outlasts(self, boundary: Boundary, quiet_s: float, more_s: float) -> float:
        """The chance that a pause that has lasted `quiet_s` lasts `more_s` more."""
        so_far = self.longer(boundary, quiet_s)
        return min(1.0, self.longer(boundary, quiet_s + more_s) / so_far) if so_far > 0.0 else 1.0


def _scale(seconds: float) -> float:
    """The place of a duration on the bins' scale."""
    return max(0.0, BINS_PER_OCTAVE * math.log2(seconds / SHORTEST_S)) if seconds > 0 else 0.0
