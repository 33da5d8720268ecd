"""What a model says of its own certainty, against what became of its texts; pure.

A model that is calibrated is contradicted once for each nat (-log p) of the tokens that it gives. How often it really
is, per nat, is measured with the newest texts: the ratio of observed to expected failures, as in a proportional-hazards
model with one known covariate (Cox, Journal of the Royal Statistical Society B 34(2), 1972).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from lsp_server.cache import Entry
from lsp_server.generation import CHARACTERS_PER_TOKEN
from lsp_server.trust.survival import HALF_LIFE

PRIOR_NATS: Final = 2.0
"""The weight of the prior, that a model is calibrated: as much as two contradictions."""


class Calibration:
    """Of one source. `ratio`: contradictions for each that its own certainty lets expect."""

    def __init__(self) -> None:
        self._keep = 0.5 ** (1 / HALF_LIFE)
        self._expected = 0.0
        self._failed = 0.0

    @property
    def ratio(self) -> float:
        """1 for a calibrated model, more for one that is too sure."""
        return (self._failed + PRIOR_NATS) / (self._expected + PRIOR_NATS)

    def begin(self) -> None:
        """One more text is followed: those before it count less."""
        self._expected *= self._keep
        self._failed *= self._keep

    def add(self, nats: float, failed: float) -> None:
        """So many nats of a text were typed, and it was contradicted or not (1, 0, or -1: it was not after all)."""
        # What was learnt counts less by the time it is taken back: neither may come to be less than nothing.
        self._expected = max(0.0, self._expected + nats)
        self._failed = max(0.0, self._failed + failed)


@dataclass(frozen=True, slots=True)
class Judged:
    """One text whose model said how sure it was; takes the same evidence as `Survival`, and answers the same."""

    calibration: Calibration
    first_nats: float
    """Of the first token."""
    nats_per_character: float
    """Of the others."""

    @classmethod
    def of(cls, entry: Entry, calibration: Calibration) -> Judged | None:
        """None if the source did not say."""
        if entry.mean_logprob is None or not math.isfinite(entry.mean_logprob):
            return None
        first = entry.mean_logprob if entry.first_logprob is None else entry.first_logprob
        if not math.isfinite(first):
            return None
        beyond = max(1.0, len(entry.text) - CHARACTERS_PER_TOKEN)
        tokens = max(1.0, len(entry.text) / CHARACTERS_PER_TOKEN)
        return cls(calibration, max(0.0, -first), max(0.0, (first - entry.mean_logprob * tokens) / beyond))

    def nats(self, start: int, end: int) -> float:
        """Of the characters from `start` to `end`; within a token each has the same share."""
        return self._nats(end) - self._nats(start)

    def _nats(self, characters: int) -> float:
        first = min(1.0, characters / CHARACTERS_PER_TOKEN)
        return first * self.first_nats + max(0.0, characters - CHARACTERS_PER_TOKEN) * self.nats_per_character

    def begin(self) -> None:
        """It is followed from here on."""
        self.calibration.begin()

    def agreed(self, start: int, end: int) -> None:
        """These characters were typed."""
        self.calibration.add(self.nats(start, end), 0)

    def contradicted(self, at: int) -> None:
        """Another character was typed at `at`."""
        self.calibration.add(self.nats(at, at + 1), 1)

    def take_back(self, at: int) -> None:
        """That was a slip."""
        self.calibration.add(-self.nats(at, at + 1), -1)

    def survives(self, start: int, end: int) -> float:
        """The chance that it agrees up to `end`, having agreed up to `start`; characters."""
        return math.exp(-self.calibration.ratio * self.nats(start, end))
