"""The cells of a notebook as one text: those of the active cell's language, in their order; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from lsp_server.context import AFTER_CHARACTERS, BEFORE_CHARACTERS, WINDOW_LINES
from wire_protocol.text import clean

MAX_CELLS: Final = 1_000
"""Cells looked at on either side."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of code; its text is read when it is needed."""

    uri: str
    language: str
    text: Callable[[], str]


def around(cells: Sequence[Cell], uri: str) -> tuple[str, str]:
    """The text of the cells above and below the one of this URI, each cell ended by a blank line; "" and "" if it is
    not among them. The upper text begins at a multiple of 32 lines, so that it seldom moves."""
    at = next((number for number, cell in enumerate(cells) if cell.uri == uri), None)
    if at is None:
        return "", ""
    language = cells[at].language
    above: list[str] = []
    length = 0
    for cell in reversed(cells[max(0, at - MAX_CELLS) : at]):
        if cell.language == language:
            above.append(_ended(cell.text()))
            length += len(above[-1])
            if length >= 4 * BEFORE_CHARACTERS:
                break
    below: list[str] = []
    length = 0
    for cell in cells[at + 1 : at + 1 + MAX_CELLS]:
        if cell.language == language and length < AFTER_CHARACTERS:
            below.append(_ended(cell.text()))
            length += len(below[-1])
    return _from_step("".join(reversed(above))), _below("".join(below))


def _ended(text: str) -> str:
    text = clean(text).strip("\n")
    return f"{text}\n\n" if text else ""


def _below(text: str) -> str:
    return "\n\n" + text if text else ""


def _from_step(text: str) -> str:
    """The end of `text` within the budget, from a line whose number is a multiple of WINDOW_LINES."""
    lines = text.split("\n")
    first = 0
    while sum(len(line) + 1 for line in lines[first:]) > BEFORE_CHARACTERS + 1 and first + WINDOW_LINES < len(lines):
        first += WINDOW_LINES
    return "\n".join(lines[first:])[-BEFORE_CHARACTERS:]
