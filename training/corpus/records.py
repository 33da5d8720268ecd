"""What a package is while the corpus is made, and the files that the later steps read."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Package:
    """One package of one registry, and the files taken from it.

    `files` maps a path inside the package to its text, `languages` the same path to an LSP language id; `stated`
    maps a path to its own licence where a package's files have several.
    """

    ecosystem: str
    name: str
    version: str
    licence: str
    files: dict[str, str] = field(default_factory=dict)
    languages: dict[str, str] = field(default_factory=dict)
    stated: dict[str, str] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)

    @property
    def key(self) -> str:
        """The name with its registry, as in `npm:zod`: two registries may use one name."""
        return f"{self.ecosystem}:{self.name}"

    def drop(self, path: str, reason: str) -> None:
        """Take a file out and count why."""
        del self.files[path], self.languages[path]
        self.dropped[reason] += 1


def write_jsonl(path: Path, packages: list[Package]) -> None:
    """One `{"package", "path", "language", "text"}` a line, in the order of packages and of paths."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for package in packages:
            for name in sorted(package.files):
                record = {
                    "package": package.key,
                    "path": name,
                    "language": package.languages[name],
                    "text": package.files[name],
                }
                file.write(json.dumps(record, ensure_ascii=False) + "\n")


def read_jsonl(path: Path) -> list[dict[str, str]]:
    """The records that `write_jsonl` wrote.

    Raises:
        SystemExit: the corpus has not been made yet.
    """
    if not path.exists():
        raise SystemExit(f"No corpus at {path}: run `python -m training.corpus` first.")
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]
