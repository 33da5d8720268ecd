"""The record of what went into the corpus: packages, licences, sizes, what was dropped and what overlaps."""

from __future__ import annotations

from collections import Counter
from typing import Any

from training.corpus import dep5
from training.corpus.records import Package


def row(package: Package, listed: list[str]) -> dict[str, Any]:
    """One package: where it is from, its licence, how many files and bytes of which language."""
    sizes: Counter[str] = Counter()
    for name, text in package.files.items():
        sizes[package.languages[name]] += len(text.encode())
    stated = {package.stated[name] for name in package.files if name in package.stated}
    return {
        "ecosystem": package.ecosystem,
        "package": package.name,
        "version": package.version,
        "licence": dep5.joined(stated, listed) if stated else package.licence,
        "files": len(package.files),
        "bytes": sum(sizes.values()),
        "languages": dict(sorted(sizes.items())),
    }


def totals(packages: list[Package]) -> dict[str, dict[str, int]]:
    """Files and bytes of each language."""
    files: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for package in packages:
        for name, text in package.files.items():
            files[package.languages[name]] += 1
            sizes[package.languages[name]] += len(text.encode())
    return {name: {"files": files[name], "bytes": sizes[name]} for name in sorted(files)}


def summary(
    train: list[Package], held_out: list[Package], listed: list[str], overlap: dict[str, Any]
) -> dict[str, Any]:
    """The whole manifest. Packages of which nothing was kept are left out."""
    trained = [row(package, listed) for package in train if package.files]
    dropped = sum((package.dropped for package in train), Counter[str]())
    return {
        "bytes": sum(item["bytes"] for item in trained),
        "files": sum(item["files"] for item in trained),
        "languages": totals(train),
        "held_out_languages": totals(held_out),
        "dropped_files": dict(sorted(dropped.items())),
        "overlap": overlap,
        "train": trained,
        "held_out": [row(package, listed) for package in held_out if package.files],
    }
