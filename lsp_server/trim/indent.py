"""Indentation as the file has it: tabs or spaces, not twice, and deeper where a block was opened."""

from __future__ import annotations

import re
from math import gcd
from typing import Final

from lsp_server.code_lines import bracket_balance, current_line, indentation
from lsp_server.openers import opens_block
from lsp_server.trim.view import View
from wire_protocol.frames import Context

TAB_WIDTH: Final = 4
"""Columns of a tab where the file does not show how wide its steps are."""
MAX_STEP: Final = 8
"""Columns of the widest step in use."""

_INDENTED: Final = re.compile(r"^[ \t]+(?=\S)", re.MULTILINE)
_BY_INDENTATION: Final = frozenset(("python",))
"""Languages in which the indentation is the block, and always deeper than its opener."""


def with_the_files_indentation(text: str, view: View) -> str:
    """`text` with the file's own white space at its lines' starts; "" if its block is not deeper than its opener."""
    context = view.context
    text = _in_the_files_kind(text, context)
    line = current_line(context)
    if line and not line.strip():
        return _not_twice(text, line, context)
    if context.language in _BY_INDENTATION and opens_block(line, context.language) and line.rstrip()[-1] == ":":
        return text if _is_deeper(text, line) else ""
    return text


def _in_the_files_kind(text: str, context: Context) -> str:
    """Tabs for spaces, or spaces for tabs, where all of the file's lines have the other kind."""
    if "\n" not in text:
        return text
    own = {start[0] for start in _INDENTED.findall(text.partition("\n")[2])}
    kinds = _INDENTED.findall(context.before + context.typed + "\n" + context.after)
    theirs = {character for start in kinds for character in start}
    if len(theirs) != 1 or own <= theirs:
        return text
    first, _, others = text.partition("\n")
    if theirs == {" "}:
        step = _step(kinds)
        return first + "\n" + _INDENTED.sub(lambda found: found.group().replace("\t", " " * step), others)
    step = _step([start for start in _INDENTED.findall(others) if start[0] == " "])
    return first + "\n" + _INDENTED.sub(lambda found: "\t" * (len(found.group().expandtabs(step)) // step), others)


def _step(starts: list[str]) -> int:
    """Columns of one step: what all indentations are multiples of."""
    step = gcd(*map(len, starts)) if starts else 0
    return step if 1 < step <= MAX_STEP else TAB_WIDTH


def _not_twice(text: str, line: str, context: Context) -> str:
    """Without the cursor's indentation at the start of `text` where the line before shows that it is a repetition.

    Only where indentation is syntax: elsewhere lines that go on are indented at will.
    """
    if (
        context.language not in _BY_INDENTATION
        or not text.startswith(line)
        or text[len(line) : len(line) + 1].isspace()
    ):
        return text
    above = context.before + context.typed
    above = above[: len(above) - len(line)].rstrip()
    last = above[above.rfind("\n") + 1 :].partition("  #")[0]
    if last.endswith("\\") or bracket_balance(last) > 0:
        return text
    # Half of a step may be there already, and the other half be right.
    opener = opens_block(last, context.language)
    step = _step(_INDENTED.findall(context.before + context.typed)) if opener else 0
    return text[len(line) :] if len(line) >= len(indentation(last)) + step else text


def _is_deeper(text: str, line: str) -> bool:
    """Whether the first line below an opener is deeper than it."""
    if text.partition("\n")[0].strip():
        return True
    first = next((piece for piece in text.split("\n")[1:] if piece.strip()), None)
    return first is None or len(indentation(first)) > len(indentation(line))
