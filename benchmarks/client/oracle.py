"""The stand-in for a model: knows the finished text and says what comes next, or errs at places; pure."""

from __future__ import annotations

import random
import re
from typing import Final

from benchmarks.client.traces import Trace
from wire_protocol.frames import Lines

WRONG_EVERY: Final = 12
"""Mean characters between the places at which the wrong oracle errs."""
BLOCK_LINES: Final = 8
_KNOWN_BY: Final = (200, 100, 50, 25, 12)
"""Characters before the cursor by which the place in the finished text is found, the most first."""
_TOKEN: Final = re.compile(r"\w{1,4}|\n[ \t]*|[ \t]+|[^\w\s]|\s")
"""What is counted as a token, for every client alike: about what code tokenizers make of code."""


def tokens_of(text: str) -> list[str]:
    """`text` in the oracle's tokens, which joined give it."""
    return _TOKEN.findall(text)


class Oracle:
    """Answers for one trace. `wrong`: err at seeded places of the text, about every 12 characters."""

    def __init__(self, trace: Trace, wrong: bool) -> None:
        self._trace = trace
        self._errors = _error_places(len(trace.finished), trace.seed) if wrong else ()

    @property
    def finished(self) -> str:
        """The whole text."""
        return self._trace.finished

    def place_of(self, before: str) -> int | None:
        """Where `before` ends in the finished text, inside a hole or at its ends; None if it ends in nothing known."""
        text = self._trace.finished
        for length in _KNOWN_BY:
            key = before[-length:]
            if len(key) < min(length, len(before)) or not key.strip():
                continue
            for hole in self._trace.holes:
                end = hole.at + len(hole.text)
                found = text.find(key, max(0, hole.at - len(key)), end)
                if found >= 0 and found + len(key) >= hole.at:
                    return found + len(key)
        return None

    def answer(self, before: str, lines: Lines) -> str:
        """What the finished text has next: the rest of the line, or of the block (at most 8 lines)."""
        place = self.place_of(before)
        if place is None:
            return ""
        ends = [hole.at + len(hole.text) for hole in self._trace.holes if hole.at <= place <= hole.at + len(hole.text)]
        text = self._trace.finished
        rest = text[place : self._joined_end(max(ends))]
        line_start = text.rfind("\n", 0, place) + 1
        said = _line(rest) if lines == "single" else _block(text[line_start:place], rest)
        return self._with_error(place, said)

    def _joined_end(self, end: int) -> int:
        """A hole that another continues at once is one text."""
        for hole in self._trace.holes:
            if hole.at == end:
                return self._joined_end(end + len(hole.text))
        return end

    def _with_error(self, place: int, said: str) -> str:
        error = next((at for at in self._errors if at >= place), None)
        if error is None or error >= place + len(said):
            return said
        return said[: error - place] + wrong(said[error - place :])


def wrong(text: str) -> str:
    """Another text of the same shape: every letter and digit is another one."""

    def other(character: str) -> str:
        if character.isascii() and character.isalpha():
            base = ord("a") if character.islower() else ord("A")
            return chr(base + (ord(character) - base + 7) % 26)
        return str((int(character) + 3) % 10) if character.isascii() and character.isdigit() else character

    changed = "".join(map(other, text))
    return changed if changed[:1] != text[:1] else "x" + changed  # it begins with no letter: one is put before it


def _error_places(length: int, seed: int) -> tuple[int, ...]:
    draw = random.Random(f"errors {seed}")
    places, at = [], 0
    while at < length:
        at += max(1, round(draw.expovariate(1 / WRONG_EVERY)))
        places.append(at)
    return tuple(places)


def _line(rest: str) -> str:
    """Up to the first line end that follows something visible, which is where a worker stops."""
    blank = len(rest) - len(rest.lstrip())
    return rest[:blank] + rest[blank:].partition("\n")[0]


def _block(line: str, rest: str) -> str:
    """The rest of the line and the lines that follow it up to a blank or shallower one."""
    first, *others = rest.split("\n")
    kept = [first]
    base = len(line) - len(line.lstrip()) if line.strip() else len(line)
    for number, following in enumerate(others[: BLOCK_LINES - 1]):
        indent = len(following) - len(following.lstrip())
        if not following.strip():
            break
        if number == 0 and not first.strip():
            base = indent
        if indent < base:
            break
        kept.append(following)
    return "\n".join(kept)
