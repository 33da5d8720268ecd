"""How often something came true lately: a share with a prior, in which older outcomes count less; pure."""

from __future__ import annotations

from typing import Final

HALF_LIFE: Final = 24
"""Outcomes after which one counts half: what was true of the last screen of code, not of last week."""


class RecentShare:
    """The mean of a Beta posterior whose evidence decays; the prior does not.

    `prior` is believed as much as `weight` outcomes.
    """

    def __init__(self, prior: float, weight: float, half_life: int = HALF_LIFE) -> None:
        self._prior = prior
        self._weight = weight
        self._keep = 0.5 ** (1 / half_life)
        self._true = 0.0
        self._seen = 0.0

    def add(self, outcome: bool) -> None:
        """It came true, or not."""
        self._true = self._true * self._keep + outcome
        self._seen = self._seen * self._keep + 1.0

    @property
    def value(self) -> float:
        """The share, between 0 and 1."""
        return (self._true + self._prior * self._weight) / (self._seen + self._weight)
