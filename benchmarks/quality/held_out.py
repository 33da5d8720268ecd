"""Reads the held-out files: whole packages that were kept out of all training."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.errors import BenchError
from wire_protocol.text import clean

DEFAULT_FILE: Final = Path("training/output/corpus/held_out.jsonl")
FIELDS: Final = ("package", "path", "text")
BEFORE_LANGUAGES: Final = "python"
"""What a record without a language holds: files were so written while the corpus had Python only."""


@dataclass(frozen=True)
class Record:
    """One file of a held-out package; `language` is its LSP id, `text` has \\n line ends."""

    package: str
    path: str
    language: str
    text: str


def read(path: Path) -> list[Record]:
    """The records of a JSONL file, one `{"package", "path", "language", "text"}` a line.

    Raises:
        BenchError: the file is absent, cannot be read, holds nothing, or a line is not such a record (it says which).
    """
    try:
        data = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BenchError(
            f"There are no held-out files at {path}: run `python -m training.corpus`, or name them with --held-out."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BenchError(f"The held-out files at {path} cannot be read: {error}.") from None
    # Not splitlines: JSON may hold U+2028 and its like unescaped.
    lines = [(number, line) for number, line in enumerate(data.split("\n"), 1) if line.strip()]
    if not lines:
        raise BenchError(f"{path} is empty: run `python -m training.corpus` again.")
    return [_record(line, f"{path}, line {number}") for number, line in lines]


def _record(line: str, where: str) -> Record:
    try:
        value: Any = json.loads(line)
    except ValueError as error:
        raise BenchError(f"{where} is not JSON ({error}): run `python -m training.corpus` again.") from None
    if not isinstance(value, dict) or not all(isinstance(value.get(field), str) for field in FIELDS):
        raise BenchError(f"{where} is no held-out file: it needs the texts {', '.join(FIELDS)} (and language).")
    language = value.get("language") or BEFORE_LANGUAGES
    if not isinstance(language, str):
        raise BenchError(f"{where}: `language` is not a text.")
    return Record(value["package"], value["path"], language, clean(value["text"]))
