"""What is typed: files with holes that a person fills, drawn by seed from code no model was trained on; pure."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.client.ghost import balanced
from benchmarks.client.person import Habits

KEYS: Final = 49
"""Keys of the simple traces, one each 120 ms: what the peers were first measured with."""
KEY_S: Final = 0.12
HOLE_LINES: Final = (2, 7)
HOLES: Final = 3
APART: Final = 300
"""Characters between holes: none is in another's neighbourhood."""
MIN_HOLE: Final = 50
MAX_HOLE: Final = 160
MAX_FILE: Final = 30_000
"""Characters of a file: what people edit, and what every client sends whole."""
_DRAWS: Final = 400


@dataclass(frozen=True, slots=True)
class Source:
    """A file to type in."""

    name: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Hole:
    """Text that stands at `at` in the finished file and is missing when it is opened."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Trace:
    """A file, its holes in the order in which they are filled, and how the person types. `finished` is the whole text.

    `helps`: the editor indents, and closes brackets, by itself.
    """

    name: str
    path: str
    language: str
    finished: str
    holes: tuple[Hole, ...]
    habits: Habits
    seed: int
    unit: str = "    "
    helps: bool = True
    stop_after: int | None = None
    """Characters of the last hole after which the person stops; None: at its end."""

    @property
    def opened(self) -> str:
        """The file as it is opened: without its holes."""
        return self._with({})

    def _with(self, filled: Mapping[int, int]) -> str:
        parts, at = [], 0
        for number, hole in sorted(enumerate(self.holes), key=lambda each: each[1].at):
            parts += [self.finished[at : hole.at], hole.text[: filled.get(number, 0)]]
            at = hole.at + len(hole.text)
        return "".join([*parts, self.finished[at:]])

    def begin_of(self, number: int, filled: Mapping[int, int]) -> int:
        """Where a hole begins in the document when so many characters stand in the others, by their numbers."""
        at = self.holes[number].at
        before = (each for each in enumerate(self.holes) if each[1].at < at)
        return at - sum(len(hole.text) - filled.get(index, 0) for index, hole in before)


def simple(name: str, helps: bool, seed: int) -> Trace:
    """49 even keys in a small Python file, nothing else: `helps` says whether the editor does its part."""
    wanted = "return sum(value * value for value in values) / n"
    if helps:  # the indentation of the second line is the editor's, so this is 49 keys too
        wanted = "mean = sum(values)\n    return mean / len(values) or n"
    typed = len(wanted)
    wanted += " if values else 0"
    head = 'def total_of(values, n):\n    """The mean."""\n    '
    finished = f"{head}{wanted}\n\n\ndef other(left, right):\n    return left + right\n"
    habits = Habits(pace_s=KEY_S, even=True)
    hole = Hole(len(head), wanted)
    return Trace(name, "simple.py", "python", finished, (hole,), habits, seed, helps=helps, stop_after=typed)


def realistic(sources: Sequence[Source], count: int, seed: int) -> list[Trace]:
    """So many traces, the languages in turn; each in another file as far as there are some."""
    draw = random.Random(f"traces {seed}")
    by_language: dict[str, list[Source]] = {}
    for source in sources:
        if source.text.isascii() and "\r" not in source.text and len(source.text) <= MAX_FILE:
            by_language.setdefault(source.language, []).append(source)
    traces: list[Trace] = []
    languages = sorted(by_language)
    for files in by_language.values():
        draw.shuffle(files)
    turn = 0
    while len(traces) < count and any(by_language.values()):
        language = languages[turn % len(languages)]
        turn += 1
        while by_language[language]:
            source = by_language[language].pop()
            holes = _holes(source.text, draw)
            if holes is not None:
                habits = Habits(pace_s=draw.uniform(0.11, 0.19))
                name = f"{language} {len(traces) + 1}"
                unit = unit_of(source.text)
                traces.append(
                    Trace(name, source.name, language, source.text, holes, habits, draw.randrange(2**31), unit)
                )
                break
    return traces


def _holes(text: str, draw: random.Random) -> tuple[Hole, ...] | None:
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    chosen: list[Hole] = []
    for _ in range(_DRAWS):
        if len(chosen) == HOLES:
            break
        first = draw.randrange(len(lines))
        last = min(len(lines), first + draw.randint(*HOLE_LINES))
        indent = len(lines[first]) - len(lines[first].lstrip())
        hole = Hole(starts[first] + indent, text[starts[first] + indent : starts[last] - 1])
        if _fit_to_type(hole.text) and all(_apart(hole, other) for other in chosen):
            chosen.append(hole)
    if len(chosen) < HOLES:
        return None
    draw.shuffle(chosen)
    # The first is left half way, for another, and finished later: a jump there and back.
    first_hole, *others = chosen
    break_at = first_hole.text.find("\n")
    if break_at > 0 and balanced(first_hole.text[:break_at]) and balanced(first_hole.text[break_at:]):
        top = Hole(first_hole.at, first_hole.text[:break_at])
        rest = Hole(first_hole.at + break_at, first_hole.text[break_at:])
        return (top, others[0], rest, *others[1:])
    return tuple(chosen)


def _fit_to_type(text: str) -> bool:
    if not MIN_HOLE <= len(text) <= MAX_HOLE or not balanced(text) or text != text.strip():
        return False
    lines = text.split("\n")
    return all(line == line.rstrip() for line in lines) and any(character.isalpha() for character in lines[0])


def _apart(hole: Hole, other: Hole) -> bool:
    return hole.at >= other.at + len(other.text) + APART or other.at >= hole.at + len(hole.text) + APART


def unit_of(text: str) -> str:
    """One step of indentation: the least that a line of the file has."""
    widths = []
    for line in text.split("\n"):
        if line.startswith("\t"):
            return "\t"
        width = len(line) - len(line.lstrip(" "))
        if line.strip() and width >= 2:
            widths.append(width)
    return " " * (min(widths) if widths else 4)
