"""Keeps the held-out packages apart: drops their copies from the training set, and measures what is still shared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.corpus import ngrams
from training.corpus.records import Package

# Lines shorter than this (`return None`, `"""`) are shared by all programs and prove nothing.
OVERLAP_LINE = 30
# As GPT-3's contamination check: runs of 13 words.
OVERLAP_RUN = 13
# A file is called contaminated if most of its runs were trained on.
CONTAMINATED_SHARE = 0.5
PROGRESS_PACKAGES = 50


@dataclass(frozen=True)
class HeldOut:
    """A held-out file and its different runs, sorted."""

    file: str
    language: str
    runs: ngrams.Hashes


def long_lines(text: str) -> set[str]:
    """The lines that are long enough to be recognised, stripped."""
    return {line for line in map(str.strip, text.split("\n")) if len(line) >= OVERLAP_LINE}


def drop_copies(train: list[Package], held_out: list[Package], most: float) -> None:
    """Drop training files that share more than `most` of their longer lines with the held-out files."""
    known = set().union(*(long_lines(text) for package in held_out for text in package.files.values()))
    for package in train:
        for name, text in sorted(package.files.items()):
            lines = long_lines(text)
            if lines and len(lines & known) > most * len(lines):
                package.drop(name, "overlaps_held_out")


def overlap(
    train: list[Package], held_out: list[Package], progress: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """By language of the held-out files: how many of their different 13-token runs occur anywhere in training files.

    `contaminated_files` lists the held-out files of which more than half of the runs do.
    """
    vocabulary = ngrams.Vocabulary()
    wanted = [
        HeldOut(
            f"{package.key} {name}",
            package.languages[name],
            np.unique(ngrams.runs(vocabulary.tokens(text), OVERLAP_RUN)),
        )
        for package in held_out
        for name, text in sorted(package.files.items())
    ]
    known = united([item.runs for item in wanted])
    seen = np.zeros(len(known), dtype=bool)
    if len(known):
        for number, package in enumerate(train):
            if number % PROGRESS_PACKAGES == 0:
                progress(f"overlap: {number} of {len(train)} packages")
            for text in package.files.values():
                # Sorted, so that the search below walks through memory instead of jumping.
                hashes = np.unique(ngrams.runs(vocabulary.tokens(text), OVERLAP_RUN))
                places = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
                seen[places[known[places] == hashes]] = True
    shared = {item.file: seen[np.searchsorted(known, item.runs)] for item in wanted}
    report: dict[str, Any] = {"run_tokens": OVERLAP_RUN, "languages": {}}
    for language in sorted({item.language for item in wanted}):
        files = [item for item in wanted if item.language == language and len(item.runs)]
        every = united([item.runs for item in files])
        count = int(seen[np.searchsorted(known, every)].sum())
        report["languages"][language] = {
            "held_out_runs": len(every),
            "in_training": count,
            "share": round(count / max(len(every), 1), 5),
            "files": len(files),
            "contaminated_files": [item.file for item in files if shared[item.file].mean() > CONTAMINATED_SHARE],
        }
    return report


def united(parts: list[ngrams.Hashes]) -> ngrams.Hashes:
    """The different hashes of all parts, sorted."""
    return np.unique(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.uint64)
