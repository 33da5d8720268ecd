"""Lines that stand below the cursor already are not suggested again."""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from lsp_server.code_lines import current_line, indentation, lines_below
from lsp_server.multiline import MIN_LANDMARK
from lsp_server.openers import opens_block
from lsp_server.trim.view import View

MAX_BELOW: Final = 16
"""Lines below the cursor that are looked at: more than a suggestion has."""

_SPACE: Final = re.compile(r"\s+")


def without_lines_below(text: str, view: View) -> str:
    """`text` up to the line that repeats the next line below the cursor.

    A line that says too little by itself (`}`, `try:`) must repeat with all that follows it in `text`. Lines that
    differ in inner white space, kind of quotes or a last comma are the same; another indentation or one other
    character makes another line.
    """
    below = [_as_compared(line) for line in islice(lines_below(view.context), MAX_BELOW)]
    if not below:
        return text
    says_too_little = len(below[0].strip()) < MIN_LANDMARK or opens_block(below[0], view.context.language)
    pieces = text.split("\n")
    visible = [current_line(view.context) + pieces[0], *pieces[1:]]
    for number, line in enumerate(visible):
        if not pieces[number].strip() or _as_compared(line) != below[0]:
            continue
        following = [_as_compared(later) for later in visible[number:] if later.strip()]
        agree = following == below[: len(following)]
        # One line among others that go on otherwise is a line like another; as the first it is what is there already.
        if (agree and number > 0) or (not says_too_little and (number == 0 or following[:2] == below[:2])):
            return "\n".join(pieces[:number])
    return text


def _as_compared(line: str) -> str:
    start = indentation(line)
    return start + (_SPACE.sub(" ", line.strip()).replace("'", '"').rstrip(",;") or line.strip())
