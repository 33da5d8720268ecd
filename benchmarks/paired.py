"""Whether two ways differ at the same cursors: exact and permutation tests of paired differences; pure.

A p-value is how often chance alone would give a difference as large, either way. Many comparisons find one below 0.05.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

FLIPS: Final = 10_000
SEED: Final = 20_261_121


def mcnemar(mine: Sequence[bool], theirs: Sequence[bool]) -> float:
    """McNemar's exact test (Q. McNemar, 1947): two-sided binomial over the pairs in which just one is right."""
    won = sum(a and not b for a, b in zip(mine, theirs, strict=True))
    lost = sum(b and not a for a, b in zip(mine, theirs, strict=True))
    count = won + lost
    tail: float = sum(math.comb(count, k) for k in range(min(won, lost) + 1)) / 2.0**count
    return min(1.0, 2 * tail)


def sign_flip(differences: Sequence[float], seed: int = SEED) -> float:
    """Fisher's test with random signs: how often the sum of `differences`, signs drawn anew, is as far from 0."""
    values = np.asarray([value for value in differences if value], dtype=float)
    if not len(values):
        return 1.0
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(FLIPS, len(values)))
    as_far = np.abs(signs @ values) >= abs(values.sum()) - 1e-9
    return float((as_far.sum() + 1) / (FLIPS + 1))
