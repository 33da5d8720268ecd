"""Where a person's cursor is, and what they would want suggested there: the spans that training cuts out of files.

Pure: text and a seeded `random.Random` in, character offsets out. Every kind of span is a function
`(text, lines, index, random) -> Span | None`; None means that the chosen line does not lend itself to it.
"""

from __future__ import annotations

import random
import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

# After these a person pauses, and an editor asks.
TRIGGERS = " .([{,=:\"'"
AFTER_TRIGGER = 0.45
AT_INDENT = 0.12
# Cursors at the end of a finished line, where a good model keeps quiet. More would make it shy everywhere.
NOTHING_LEFT = 0.06
MAX_BLOCK_LINES = 14
MAX_LINES = 3
MAX_DOCSTRING = 500
# How many lines below the drawn one a docstring is looked for.
DOCSTRING_NEAR = 40
MAX_RANDOM_LENGTH = 240
# What opens a docstring or a documentation comment, and what closes it: Python's, and those of C's family.
DOCUMENTATION = ((re.compile(r'"""'), '"""'), (re.compile(r"/\*\*"), "*/"))
OPENING = {"(": ")", "[": "]", "{": "}"}
NAME = re.compile(r"\w")


@dataclass(frozen=True)
class Span:
    """What is missing from the file: `text[cursor:end]`. All offsets are in characters."""

    kind: str
    cursor: int
    end: int


@dataclass(frozen=True)
class Lines:
    """A text's line starts. Line i is `text[starts[i]:end(i)]`, without its line end."""

    text: str
    starts: list[int]

    @classmethod
    def of(cls, text: str) -> Lines:
        """Split at \\n only."""
        starts = [0]
        starts.extend(match.end() for match in re.finditer("\n", text))
        if starts[-1] == len(text) and len(starts) > 1:
            starts.pop()
        return cls(text, starts)

    def __len__(self) -> int:
        return len(self.starts)

    def end(self, index: int) -> int:
        """The offset of a line's end, before its \\n."""
        if index + 1 < len(self.starts):
            return self.starts[index + 1] - 1
        return len(self.text) - (1 if self.text.endswith("\n") else 0)

    def at(self, index: int) -> str:
        """A line's text."""
        return self.text[self.starts[index] : self.end(index)]

    def indent(self, index: int) -> int:
        """The number of blanks a line starts with."""
        line = self.at(index)
        return len(line) - len(line.lstrip())

    def index(self, offset: int) -> int:
        """The line that an offset lies in."""
        return bisect_right(self.starts, offset) - 1


def cursor_in(lines: Lines, index: int, generator: random.Random) -> int:
    """A place in a line where a cursor is likely: often after a sign that makes a person pause, else anywhere."""
    start, end = lines.starts[index] + lines.indent(index), lines.end(index)
    draw = generator.random()
    if draw < AT_INDENT:
        return start
    if draw < AT_INDENT + AFTER_TRIGGER:
        places = [at for at in range(start + 1, end) if lines.text[at - 1] in TRIGGERS]
        if places:
            return generator.choice(places)
    return generator.randrange(start, end)


def rest_of_line(text: str, lines: Lines, index: int, generator: random.Random) -> Span:
    """From inside a line to its end; now and then from its end, where nothing should be suggested."""
    if generator.random() < NOTHING_LEFT:
        return Span("nothing", lines.end(index), lines.end(index))
    return Span("rest_of_line", cursor_in(lines, index, generator), lines.end(index))


def block_end(lines: Lines, index: int) -> int | None:
    """The last line of what a line begins: its body if it ends with a colon, else its siblings up to a blank line.

    None if that is longer than a suggestion should be.
    """
    indent = lines.indent(index)
    opens = lines.at(index).rstrip().endswith((":", "(", "[", "{"))
    last = index
    for at in range(index + 1, min(len(lines), index + MAX_BLOCK_LINES + 2)):
        line = lines.at(at)
        if not line.strip():
            if not opens:
                return last
            continue
        inside = lines.indent(at)
        if inside < indent or (opens and inside == indent and line.lstrip()[0] not in ")]}"):
            return last
        last = at
    return None if last - index > MAX_BLOCK_LINES else last


def block(text: str, lines: Lines, index: int, generator: random.Random) -> Span | None:
    """From inside a line, or its end, to the end of the block that it begins or belongs to."""
    last = block_end(lines, index)
    if last is None or last == index:
        return None
    cursor = lines.end(index) if generator.random() < 0.4 else cursor_in(lines, index, generator)
    return Span("block", cursor, lines.end(last))


def whole_lines(text: str, lines: Lines, index: int, generator: random.Random) -> Span | None:
    """One to a few lines from the start of one, with or without its indentation already there."""
    last = min(len(lines) - 1, index + generator.randrange(MAX_LINES))
    while last > index and not lines.at(last).strip():
        last -= 1
    start = lines.starts[index]
    return Span("lines", start + (lines.indent(index) if generator.random() < 0.75 else 0), lines.end(last))


def brackets(text: str, lines: Lines, index: int, generator: random.Random) -> Span | None:
    """What stands between a bracket and its partner on the same line, or the rest of it."""
    start, line = lines.starts[index], lines.at(index)
    pairs: list[tuple[int, int]] = []
    stack: list[tuple[str, int]] = []
    for at, sign in enumerate(line):
        if sign in OPENING:
            stack.append((OPENING[sign], at + 1))
        elif stack and sign == stack[-1][0]:
            opened = stack.pop()[1]
            if opened < at:
                pairs.append((opened, at))
    if not pairs:
        return None
    opened, closed = generator.choice(pairs)
    cursor = opened if generator.random() < 0.5 else generator.randrange(opened, closed)
    return Span("brackets", start + cursor, start + closed)


def docstring(text: str, lines: Lines, index: int, generator: random.Random) -> Span | None:
    """A docstring's text, from its opening or from inside its first line, with what closes it."""
    for opens, closes in DOCUMENTATION:
        opening = opens.search(text, lines.starts[index], lines.end(min(len(lines) - 1, index + DOCSTRING_NEAR)))
        if opening is None or (closes == '"""' and not text[: opening.start()].rstrip().endswith(":")):
            continue
        closing = text.find(closes, opening.end())
        if closing < 0 or closing - opening.end() > MAX_DOCSTRING:
            continue
        first_end = lines.end(lines.index(opening.end()))
        cursor = opening.end()
        if generator.random() < 0.5 and first_end > cursor:
            cursor = generator.randrange(cursor, min(first_end, closing) + 1)
        return Span("docstring", cursor, closing + len(closes))
    return None


def anything(text: str, lines: Lines, index: int, generator: random.Random) -> Span | None:
    """Any run of characters, short ones more often, so that no shape of hole is a surprise."""
    cursor = generator.randrange(lines.starts[index], lines.end(index))
    length = int(MAX_RANDOM_LENGTH ** generator.random())
    return Span("anything", cursor, min(len(text) - 1, cursor + length))


Kind = Callable[[str, Lines, int, random.Random], Span | None]
KINDS: dict[Kind, float] = {
    rest_of_line: 0.46,
    block: 0.20,
    whole_lines: 0.12,
    brackets: 0.08,
    docstring: 0.04,
    anything: 0.10,
}


def choose(text: str, lines: Lines, generator: random.Random) -> Span | None:
    """A span in a text: a random line that is not blank, then a kind, falling back to the rest of that line."""
    for _ in range(20):
        index = generator.randrange(len(lines))
        if lines.at(index).strip():
            break
    else:
        return None
    kind = generator.choices(list(KINDS), weights=list(KINDS.values()))[0]
    span = kind(text, lines, index, generator)
    return span or rest_of_line(text, lines, index, generator)
