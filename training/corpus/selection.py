"""Takes from a package the files that pass every rule, and cuts languages to their share."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

from training.corpus import credentials, filters, languages
from training.corpus.records import Package

# Enough of a file to see which interpreter its first line names.
START_BYTES = 64
# Languages of which a well-kept package may give more than the others.
PROGRAMMING = frozenset({"python", "typescript", "javascript", "go", "rust", "c"})


def collect(package: Package, sources: Iterable[tuple[str, bytes]], limits: dict[str, Any], seed: int) -> Package:
    """Fill a package with those of the files that pass every filter, up to its share of each language.

    The files are tried in an order that the seed and the package decide, so that the share is not the first folders.
    """
    skip = frozenset(limits["skip_folders"]) | frozenset(limits["skip_folders_of"].get(package.ecosystem, []))
    candidates = []
    for name, data in sources:
        language = languages.language_of(name, data[:START_BYTES])
        if language is None or language not in limits["languages"]:
            continue
        if languages.written_by_hand(name, skip):
            candidates.append((name, language, data))
        else:
            package.dropped["folder_or_name"] += 1
    random.Random(f"{seed}:{package.key}").shuffle(candidates)
    sizes: Counter[str] = Counter()
    for name, language, data in candidates:
        share = limits["languages"][language]["max_package_bytes"]
        if language in PROGRAMMING:
            share = limits["package_bytes"].get(package.name, share)
        if sizes[language] >= share:
            package.dropped["over_package_share"] += 1
            continue
        reason, text = judged(data, language, limits)
        if reason is not None:
            package.dropped[reason] += 1
            continue
        path = languages.written_name(name)
        if path != name and path in package.files:
            package.drop(path, "folder_or_name")
        package.files[path] = text
        package.languages[path] = language
        if name in package.stated:
            package.stated[path] = package.stated[name]
        sizes[language] += len(text.encode())
    return package


def judged(data: bytes, language: str, limits: dict[str, Any]) -> tuple[str | None, str]:
    """Why a file is refused (None if it is not), and its cleaned text."""
    if len(data) > 2 * limits["max_file_bytes"]:
        return "size", ""
    try:
        raw = data.decode("utf-8")
    except UnicodeDecodeError:
        return "not_utf8", ""
    if filters.foreign_licence(raw, limits["licences"]):
        return "licence", ""
    text = filters.clean(raw, language)
    reason = filters.fault(text, language, limits)
    if reason is None and credentials.found(text):
        reason = "secret"
    return reason, text


def cut_languages(packages: list[Package], limits: dict[str, Any], seed: int) -> None:
    """Drop files at random, whatever their package, from languages that exceed their bytes in the configuration."""
    for language in sorted(limits["languages"]):
        files = [
            (package, name) for package in packages for name, found in package.languages.items() if found == language
        ]
        files.sort(key=lambda item: (item[0].key, item[1]))
        random.Random(f"{seed}:{language}").shuffle(files)
        size = 0
        for package, name in files:
            size += len(package.files[name].encode())
            if size > limits["languages"][language]["max_bytes"]:
                package.drop(name, "over_language_share")
