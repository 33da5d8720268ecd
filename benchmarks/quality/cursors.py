"""The fixed distribution of cursors that every model is asked at; pure and seeded. README.md says it in words.

Which cursors are drawn depends on the held-out files, the seed and the languages, and on nothing else: each has a
generator of its own, so the first n are the same however many are drawn, and one language's do not change
when another is left out.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.quality.code_lines import Lines, code_lines
from benchmarks.quality.held_out import Record
from wire_protocol import frames

LANGUAGE_MIX: Final[dict[str, float]] = {
    "python": 60,
    "typescript": 8,
    "javascript": 6,
    "go": 5,
    "rust": 5,
    "c": 4,
    "markdown": 4,
    "shellscript": 3,
    "toml": 2,
    "yaml": 2,
    "dockerfile": 1,
}
"""Of a hundred cursors. The share of a language that the held-out files lack goes to the others in proportion."""

SINGLE_MIX: Final[dict[str, float]] = {"after trigger": 0.45, "in word": 0.35, "line start": 0.20}
MULTI_MIX: Final[dict[str, float]] = {"body": 0.5, "statements": 0.5}
MIX_BY_TASK: Final[dict[frames.Lines, dict[str, float]]] = {"single": SINGLE_MIX, "multi": MULTI_MIX}

TRIGGERS: Final = frozenset(" .([{,=:\"'")
"""After these a person pauses, and an editor asks."""
CLOSING: Final = frozenset(")]}")
MAX_BLOCK_LINES: Final = 8
"""Lines that say something in a multi-line hole; the language server shows no more (lsp_server/multiline.py)."""
TRIES: Final = 400
"""Lines looked at for one cursor of one kind: where so many do not lend themselves to it, there are none left."""


@dataclass(frozen=True)
class Cursor:
    """A hole in a file: `text[at:end]` is taken away; `start` is the start of the cursor's line (the anchor)."""

    task: frames.Lines
    kind: str
    record: Record
    start: int
    at: int
    end: int
    quarter: int
    """In which quarter of its line's visible text the cursor stands, 1 to 4; 4 too for one at its end."""

    @property
    def before(self) -> str:
        """The file up to the cursor's line."""
        return self.record.text[: self.start]

    @property
    def typed(self) -> str:
        """The cursor's line up to the cursor."""
        return self.record.text[self.start : self.at]

    @property
    def truth(self) -> str:
        """What was taken away."""
        return self.record.text[self.at : self.end]

    @property
    def after(self) -> str:
        """The file behind the hole."""
        return self.record.text[self.end :]

    @property
    def place(self) -> str:
        """`package/path:line:column`, counted from 1, for people."""
        line = self.record.text.count("\n", 0, self.start) + 1
        return f"{self.record.package}/{self.record.path}:{line}:{self.at - self.start + 1}"


def draw(records: Sequence[Record], task: frames.Lines, count: int, seed: int) -> list[Cursor]:
    """The first `count` cursors of a task, fewer if the files do not hold as many; all different."""
    languages = {name for name in LANGUAGE_MIX if any(record.language == name for record in records)}
    pools = {
        name: _Pool([record for record in records if record.language == name], task, f"{seed}/{task}/{name}")
        for name in LANGUAGE_MIX
        if name in languages
    }
    cursors: list[Cursor] = []
    taken = dict.fromkeys(pools, 0)
    while pools and len(cursors) < count:
        name = next_language(taken)
        cursor = pools[name].draw()
        if cursor is None:
            del pools[name], taken[name]
            continue
        taken[name] += 1
        cursors.append(cursor)
    return cursors


def next_language(taken: dict[str, int]) -> str:
    """Whose turn it is: the language that is furthest behind its share, the earlier in the mix if two are."""
    total = sum(LANGUAGE_MIX[name] for name in taken)
    drawn = sum(taken.values()) + 1
    return max(taken, key=lambda name: LANGUAGE_MIX[name] / total * drawn - taken[name])


class _Pool:
    """One language's cursors of one task, in their order."""

    def __init__(self, records: Sequence[Record], task: frames.Lines, seed: str) -> None:
        self._task: frames.Lines = task
        self._seed = seed
        self._packages: dict[str, list[Record]] = {}
        for record in sorted(records, key=lambda record: (record.package, record.path)):
            self._packages.setdefault(record.package, []).append(record)
        self._names = sorted(self._packages)
        self._lines: dict[Record, tuple[Lines, list[int]]] = {}
        self._used: set[tuple[str, str, int]] = set()
        self._number = 0

    def draw(self) -> Cursor | None:
        """The next cursor: of a kind by the mix, else of another kind; None if there are no more."""
        generator = random.Random(f"{self._seed}/{self._number}")  # a text's seed is the same in all versions of Python
        self._number += 1
        mix = MIX_BY_TASK[self._task]
        chosen = generator.choices(list(mix), list(mix.values()))[0]
        for kind in (chosen, *(other for other in mix if other != chosen)):
            for _ in range(TRIES):
                cursor = self._try(kind, generator)
                if cursor is not None:
                    return cursor
        return None

    def _try(self, kind: str, generator: random.Random) -> Cursor | None:
        record = generator.choice(self._packages[generator.choice(self._names)])
        lines, code = self._lines_of(record)
        if not code:
            return None
        index = generator.choice(code)
        hole = PLACES[kind](lines, index, generator)
        if hole is None:
            return None
        at, end = hole
        key = (record.package, record.path, at)
        if key in self._used:
            return None
        self._used.add(key)
        first, last = lines.first(index), lines.last(index)
        quarter = min(4, 1 + 4 * (at - first) // (last - first))
        return Cursor(self._task, kind, record, lines.starts[index], at, end, quarter)

    def _lines_of(self, record: Record) -> tuple[Lines, list[int]]:
        if record not in self._lines:
            lines = Lines.of(record.text)
            self._lines[record] = (lines, code_lines(lines, record.language))
        return self._lines[record]


Hole = tuple[int, int]


def after_trigger(lines: Lines, index: int, generator: random.Random) -> Hole | None:
    """Behind a sign that makes a person pause, before something visible; to the end of the line."""
    text, first, last = lines.text, lines.first(index), lines.last(index)
    places = [at for at in range(first + 1, last) if text[at - 1] in TRIGGERS and not text[at].isspace()]
    return (generator.choice(places), last) if places else None


def in_word(lines: Lines, index: int, generator: random.Random) -> Hole | None:
    """Between two characters of a word; to the end of the line."""
    text, first, last = lines.text, lines.first(index), lines.last(index)
    places = [at for at in range(first + 1, last) if _in_name(text[at - 1]) and _in_name(text[at])]
    return (generator.choice(places), last) if places else None


def line_start(lines: Lines, index: int, generator: random.Random) -> Hole | None:
    """Behind the indentation; to the end of the line."""
    return lines.first(index), lines.last(index)


def body(lines: Lines, index: int, generator: random.Random) -> Hole | None:
    """From the end of a line to the end of the deeper lines below it, of which the first is no blank one."""
    own = lines.indent(index)
    last, said = index, 0
    for at in range(index + 1, len(lines)):
        if lines.blank(at):
            if last == index:
                return None
            continue
        if lines.indent(at) <= own:
            break
        last, said = at, said + 1
        if said > MAX_BLOCK_LINES:
            return None
    return (lines.last(index), lines.last(last)) if said else None


def statements(lines: Lines, index: int, generator: random.Random) -> Hole | None:
    """From behind a line's indentation over the lines below it, up to a blank, shallower or closing one: 2 to 8."""
    own = lines.indent(index)
    last = index
    for at in range(index + 1, len(lines)):
        if lines.blank(at) or lines.indent(at) < own:
            break
        if lines.indent(at) == own and lines.text[lines.first(at)] in CLOSING:
            break
        last = at
        if last - index >= MAX_BLOCK_LINES:
            return None
    return (lines.first(index), lines.last(last)) if last > index else None


PLACES: Final[dict[str, Callable[[Lines, int, random.Random], Hole | None]]] = {
    "after trigger": after_trigger,
    "in word": in_word,
    "line start": line_start,
    "body": body,
    "statements": statements,
}
"""For each kind of cursor the hole in a line, None where the line has no such place."""


def _in_name(character: str) -> bool:
    return character.isalnum() or character == "_"


def missing_languages(cursors: Sequence[Cursor]) -> Iterator[str]:
    """The languages of the mix that none of the cursors is in."""
    present = {cursor.record.language for cursor in cursors}
    return (name for name in LANGUAGE_MIX if name not in present)
