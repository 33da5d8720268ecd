"""The lines above the cursor are not written again."""

from __future__ import annotations

from typing import Final

from lsp_server.code_lines import current_line
from lsp_server.trim.view import View

MIN_CHARACTERS: Final = 12
"""Of the lines that agree, without white space: shorter ones, such as `pass` or `});`, are often equal in good code."""
MAX_ROWS: Final = 3
"""Blocks of up to so many lines are compared."""


def without_rewritten_lines(text: str, view: View) -> str:
    """ "" if `text` begins, at its line's start or after what is typed there, with the lines that are right above."""
    context = view.context
    line = current_line(context)
    whole = (line + text).split("\n")
    said = [row.strip() for row in whole if row.strip()]
    above_text = context.before + context.typed
    rows_above = above_text[: len(above_text) - len(line)].rstrip().rsplit("\n", 2 * MAX_ROWS)[-2 * MAX_ROWS :]
    above = [row.strip() for row in rows_above if row.strip()]
    for rows in range(1, min(MAX_ROWS, len(said), len(above)) + 1):
        if said[:rows] == above[-rows:] and sum(map(_visible, said[:rows])) >= MIN_CHARACTERS:
            return ""
    return text


def _visible(line: str) -> int:
    return sum(not character.isspace() for character in line)
