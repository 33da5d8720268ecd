"""Drops files that are in the corpus already: the same text, or nearly (MinHash finds candidates, Jaccard decides)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
from datasketch import MinHash, MinHashLSH
from numpy.typing import NDArray

from training.corpus import ngrams
from training.corpus.records import Package

SHINGLE_TOKENS = 5
PERMUTATIONS = 64
MINHASH_SEED = 1
# Candidates are looked for below the threshold, so that few are missed; each is then compared in full.
CANDIDATE_MARGIN = 0.1
MIN_CANDIDATE = 0.3
PROGRESS_PACKAGES = 50
Shingles = NDArray[np.uint32]


def drop_exact(packages: list[Package]) -> None:
    """Keep the first of equal texts, in the order of packages and of paths."""
    seen: set[bytes] = set()
    for package in packages:
        for name, text in sorted(package.files.items()):
            digest = hashlib.sha256(text.encode()).digest()
            if digest in seen:
                package.drop(name, "duplicate")
            seen.add(digest)


def shingles(text: str, vocabulary: ngrams.Vocabulary) -> Shingles:
    """The different runs of five tokens, as sorted 32-bit hashes (MinHash's width)."""
    return np.unique(ngrams.runs(vocabulary.tokens(text), SHINGLE_TOKENS).astype(np.uint32))


def jaccard(one: Shingles, other: Shingles) -> float:
    """Size of the intersection over size of the union of two sorted sets."""
    if not len(one) or not len(other):
        return 0.0
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)


def drop_near(
    held_out: list[Package], train: list[Package], threshold: float, progress: Callable[[str], None] = lambda _: None
) -> None:
    """Keep the first of files whose shingles have a Jaccard similarity of at least `threshold`.

    The held-out packages come first and are kept whole, so that a training file like one of theirs is dropped.
    """
    vocabulary = ngrams.Vocabulary()
    index = MinHashLSH(threshold=max(threshold - CANDIDATE_MARGIN, MIN_CANDIDATE), num_perm=PERMUTATIONS)
    kept: list[tuple[bool, Shingles]] = []
    template = MinHash(num_perm=PERMUTATIONS, seed=MINHASH_SEED, hashfunc=int)
    for number, package in enumerate([*held_out, *train]):
        is_held_out = number < len(held_out)
        if number % PROGRESS_PACKAGES == 0:
            progress(f"near-duplicates: {number} of {len(held_out) + len(train)} packages, {len(kept)} files kept")
        for name, text in sorted(package.files.items()):
            own = shingles(text, vocabulary)
            if not len(own):
                continue
            sketch = template.copy()
            sketch.update_batch(own.tolist())
            like = [place for place in sorted(index.query(sketch)) if jaccard(own, kept[place][1]) >= threshold]
            if like and not is_held_out:
                of_held_out = any(kept[place][0] for place in like)
                package.drop(name, "near_duplicate_of_held_out" if of_held_out else "near_duplicate")
                continue
            index.insert(len(kept), sketch, check_duplication=False)
            kept.append((is_held_out, own))
