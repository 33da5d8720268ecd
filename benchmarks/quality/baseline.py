"""The baselines without a model: copy what follows the most similar text elsewhere in the same file; pure.

Both read what a model is sent and no more. `copy_simply` is the rule that the first starter was compared with: the
nearest line that holds what was typed, or its longest end. `copy` is stronger: every place of the file is compared
with the cursor by how many characters before the two are the same (longest common suffix, over line ends too,
indentation aside); the longest wins, of equals the nearest above the cursor, then the nearest below. It always says
something where any place agrees at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from wire_protocol.frames import Context, Lines

MIN_SHARED: Final = 2
"""Characters, blanks aside but line ends counted, that must agree: `\\nr` finds the nearest line that begins with r."""
MAX_SHARED: Final = 400
"""More agreement than this decides nothing."""
MAX_BLOCK_LINES: Final = 8
MIN_SIMPLY_SHARED: Final = 3
"""Characters of what was typed that the simple rule wants to find again, fewer if fewer were typed."""


def copy(context: Context, lines: Lines) -> str:
    """The rest of the line that follows the most similar place (`single`), or of its block (`multi`); "" if none."""
    above = _Side.of(context.before + context.typed)
    below = _Side.of(context.after)
    best, answer = MIN_SHARED - 1, ""
    for side, at in (*_backwards(above), *_forwards(below, above.text[-1:])):
        shared = _shared(side.text, at, above.text)
        if shared > best and (found := _follows(side, at, above, lines)):
            best, answer = shared, found
    return answer


@dataclass(frozen=True)
class _Side:
    """The text above or below the cursor: its lines as they are, and all of it without indentation."""

    lines: list[str]
    text: str

    @classmethod
    def of(cls, text: str) -> _Side:
        lines = text.split("\n")
        return cls(lines, "\n".join(line.lstrip() for line in lines))

    def line(self, at: int) -> int:
        """The number of the line that an offset of `text` lies in."""
        return self.text.count("\n", 0, at)


def _backwards(above: _Side) -> Iterator[tuple[_Side, int]]:
    """The places above the cursor that follow the same character as it does, nearest first, its own line left out."""
    last = above.text[-1:]
    at = above.text.rfind("\n") + 1
    while last and (found := above.text.rfind(last, 0, at)) >= 0:
        yield above, found + 1
        at = found


def _forwards(below: _Side, last: str) -> Iterator[tuple[_Side, int]]:
    """The same below it; what is left of the cursor's own line is behind it, and no place."""
    at = below.text.find("\n")
    while last and at >= 0 and (found := below.text.find(last, at)) >= 0:
        yield below, found + 1
        at = found + 1


def _shared(text: str, at: int, above: str) -> int:
    """How many characters before `at` in `text` are those before the end of `above`, blanks not counted."""
    count = 0
    for back in range(1, min(at, len(above), MAX_SHARED) + 1):
        character = above[-back]
        if text[at - back] != character:
            break
        count += character == "\n" or not character.isspace()
    return count


def _follows(side: _Side, at: int, above: _Side, lines: Lines) -> str:
    end = side.text.find("\n", at)
    rest = (side.text[at:] if end < 0 else side.text[at:end]).rstrip()
    if lines == "single":
        return rest
    number = side.line(at)
    base, here = _indent(side.lines[number]), _indent(above.lines[-1])
    block = [rest]
    for line in side.lines[number + 1 : number + 1 + MAX_BLOCK_LINES]:
        indent = _indent(line)
        if not line.strip() or len(indent) < len(base) + (0 if rest else 1):
            break
        block.append(here + line.removeprefix(base).rstrip())
    return "\n".join(block) if len(block) > 1 or rest else ""


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def copy_simply(context: Context, lines: Lines) -> str:
    """What follows the typed text, or its longest end, where that stands elsewhere in the file: one line at most.

    With nothing typed yet: the line after the nearest earlier line that equals the one above.
    """
    above = [line.strip() for line in context.before.split("\n")]
    below = [line.strip() for line in context.after.split("\n")]
    typed = context.typed.strip()
    if not typed:
        written = [line for line in above if line]
        earlier = [at for at in range(len(written) - 1) if written[at] == written[-1]]
        return written[earlier[-1] + 1] if earlier else ""
    for shared in range(len(typed), min(MIN_SIMPLY_SHARED, len(typed)) - 1, -1):
        end = typed[-shared:]
        for line in (*reversed(above), *below):
            at = line.find(end)
            if at >= 0 and at + shared < len(line):
                return line[at + shared :]
    return ""
