"""Texts as numbers: hashes of word tokens, and of runs of them. The same on every machine and in every run."""

from __future__ import annotations

import hashlib
import re

import numpy as np
from numpy.typing import NDArray

TOKEN = re.compile(r"\w+|[^\w\s]")
# Odd, so that multiplication modulo 2^64 loses nothing; the fractional part of the golden ratio.
BASE = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1
Hashes = NDArray[np.uint64]


class Vocabulary:
    """Remembers the hash of every token seen, since most tokens are seen often."""

    def __init__(self) -> None:
        self.hashes: dict[str, int] = {}

    def tokens(self, text: str) -> Hashes:
        """One 64-bit hash a word or sign, in order."""
        known = self.hashes
        found = TOKEN.findall(text)
        for token in set(found):
            if token not in known:
                known[token] = int.from_bytes(hashlib.blake2b(token.encode(), digest_size=8).digest(), "little")
        return np.fromiter(map(known.__getitem__, found), dtype=np.uint64, count=len(found))


def runs(tokens: Hashes, length: int) -> Hashes:
    """One hash for every run of `length` tokens, in order; empty if the text is shorter."""
    count = len(tokens) - length + 1
    if count <= 0:
        return np.zeros(0, dtype=np.uint64)
    total = np.zeros(count, dtype=np.uint64)
    for offset in range(length):
        total += tokens[offset : offset + count] * np.uint64(pow(BASE, offset, 1 << 64))
    # Mixes the high bits into the low ones, of which MinHash uses only 32.
    total ^= total >> np.uint64(32)
    total *= np.uint64(BASE)
    return total ^ (total >> np.uint64(29))
