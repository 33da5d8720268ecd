"""A generated folder of very many files, as a repository of many teams has them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FILES_IN_FOLDER: Final = 50

_MODULE: Final = '''\
"""Module {number} of team {team}."""

from team_{other}.module_{near} import Record{near}, load_{near}

LIMIT_{number} = {number}


class Record{number}:
    """One record."""

    def __init__(self, key: str, value: int) -> None:
        self.key = key
        self.value = value

    def merge(self, other: "Record{number}", *, limit: int = LIMIT_{number}) -> int:
        return min(self.value + other.value, limit)


def load_{number}(path: str, retries: int = 3) -> list[Record{number}]:
    records = []
    for line in open(path):
        key, _, value = line.partition("=")
        records.append(Record{number}(key.strip(), int(value)))
    return records
'''


def generate(root: Path, files: int) -> None:
    """`files` Python files of about 700 bytes."""
    for number in range(files):
        team = number // FILES_IN_FOLDER
        folder = root / f"group_{team // 100}" / f"team_{team}"
        if number % FILES_IN_FOLDER == 0:
            folder.mkdir(parents=True)
        near = number + 1 if number % FILES_IN_FOLDER < FILES_IN_FOLDER - 1 else number - 1
        text = _MODULE.format(number=number, team=team, other=team, near=near)
        (folder / f"module_{number}.py").write_text(text, encoding="utf-8")


def module(root: Path, number: int) -> Path:
    """Where one of the first files is."""
    team = number // FILES_IN_FOLDER
    return root / f"group_{team // 100}" / f"team_{team}" / f"module_{number}.py"
