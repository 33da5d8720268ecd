"""Where runs of tokens occur in a tokenised corpus: one pass of a rolling hash, every hit compared in full; pure.

The corpus is not indexed: the runs that are looked for are few and known, so they are what is sorted, and the corpus
is hashed piece by piece beside them. Beyond the corpus itself this takes some 50 MB, whatever its size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

Run = tuple[int, ...]
Tokens = npt.NDArray[np.uint16] | npt.NDArray[np.uint32]

PIECE_TOKENS: Final = 1 << 20
"""Windows hashed at once."""
MODULUS: Final = 1 << 64
BASE: Final = 0x9E3779B97F4A7C15
"""Of the polynomial hash modulo 2^64; odd, so that it has an inverse. Any odd number of many bits serves."""
TABLE_SEED: Final = 20_261_121
SIEVE_BITS: Final = 22
"""Most windows are dismissed by the first bits of their hash: 4 million flags, of which some thousands are set."""


@dataclass(frozen=True)
class Corpus:
    """Files' tokens one after the other: file i is `tokens[starts[i]:starts[i + 1]]`; the last start is the end."""

    tokens: Tokens
    starts: npt.NDArray[np.int64]

    def file(self, index: int) -> Tokens:
        """One file's tokens."""
        return self.tokens[self.starts[index] : self.starts[index + 1]]


@dataclass
class Found:
    """How often a run occurs (occurrences may overlap), and in which files."""

    count: int = 0
    files: set[int] = field(default_factory=set)


class _Hash:
    """h(i) = Σ T[token i+j] · BASE^j for j < length, modulo 2^64, with a random number T for each token."""

    def __init__(self, length: int, vocabulary: int) -> None:
        self._length = length
        self._numbers = np.random.default_rng(TABLE_SEED).integers(MODULUS, size=vocabulary, dtype=np.uint64)
        self._powers = _powers(BASE, PIECE_TOKENS + length)
        self._inverses = _powers(pow(BASE, -1, MODULUS), PIECE_TOKENS + length)

    def of(self, tokens: Tokens) -> npt.NDArray[np.uint64]:
        """The hash of every window of the tokens, at most PIECE_TOKENS windows."""
        count = len(tokens) - self._length + 1
        sums = np.zeros(len(tokens) + 1, dtype=np.uint64)
        np.cumsum(self._numbers[tokens] * self._powers[: len(tokens)], out=sums[1:])
        return (sums[self._length :] - sums[:count]) * self._inverses[:count]


def _powers(base: int, count: int) -> npt.NDArray[np.uint64]:
    factors = np.full(count, base, dtype=np.uint64)
    factors[0] = 1
    return np.cumprod(factors, dtype=np.uint64)


def find(
    corpus: Corpus, runs: Iterable[Sequence[int]], length: int, step: Callable[[int], None] = lambda done: None
) -> dict[Run, Found]:
    """Every run (of `length` tokens) with its occurrences inside single files of the corpus.

    `step` is told how many tokens of the corpus are done.

    Raises:
        ValueError: a run is not `length` tokens long.
    """
    found = {tuple(run): Found() for run in runs}
    if any(len(run) != length for run in found):
        raise ValueError(f"a run is not {length} tokens long")
    tokens = corpus.tokens
    if not found or len(tokens) < length:
        return found
    largest = max(int(tokens.max()), *(max(run) for run in found))
    hashing = _Hash(length, largest + 1)
    by_hash: dict[int, list[Run]] = {}
    for run in found:
        by_hash.setdefault(int(hashing.of(np.array(run, dtype=np.uint32))[0]), []).append(run)
    wanted = np.array(sorted(by_hash), dtype=np.uint64)
    shift = np.uint64(64 - SIEVE_BITS)
    sieve = np.zeros(1 << SIEVE_BITS, dtype=bool)
    sieve[wanted >> shift] = True
    for start in range(0, len(tokens) - length + 1, PIECE_TOKENS):
        hashes = hashing.of(tokens[start : start + PIECE_TOKENS + length - 1])
        likely = np.flatnonzero(sieve[hashes >> shift])
        likely = likely[np.isin(hashes[likely], wanted)]
        for at in likely.tolist():
            _compare(corpus, start + at, by_hash[int(hashes[at])], found, length)
        step(min(start + PIECE_TOKENS, len(tokens)))
    return found


def _compare(corpus: Corpus, at: int, runs: Sequence[Run], found: dict[Run, Found], length: int) -> None:
    file = int(np.searchsorted(corpus.starts, at, side="right")) - 1
    if at + length > corpus.starts[file + 1]:
        return
    window = tuple(corpus.tokens[at : at + length].tolist())
    if window in runs:
        found[window].count += 1
        found[window].files.add(file)
