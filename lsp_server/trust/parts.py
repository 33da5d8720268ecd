"""Where a suggestion may be cut short: behind a word, behind signs that stand together, at a line's end; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_PART: Final = re.compile(r"\s*(?:\w+|[^\w\s]+)")


def part_ends(text: str) -> Iterator[int]:
    """Where each word, or run of other signs, ends with the white space before it."""
    return (match.end() for match in _PART.finditer(text))


def whole_parts(text: str) -> str:
    """`text`, which was cut by a limit, without its last part, which may be half of one."""
    ends = list(part_ends(text))
    return text[: ends[-2]] if len(ends) > 1 else ""


def whole_lines(text: str) -> str:
    """`text` up to its last line end, if it has one with something before it: half a line below others is no help."""
    whole = text[: max(text.rfind("\n"), 0)]
    return whole if whole.strip() else text
