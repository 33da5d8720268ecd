"""What follows the cursor on its line is not suggested again."""

from __future__ import annotations

from typing import Final

from lsp_server.code_lines import rest_of_line
from lsp_server.trim.view import View

MIN_OVERLAP: Final = 4
"""Characters that must agree if the text ends with only the start of the rest of the line."""


def without_rest_of_line(text: str, view: View) -> str:
    """`text` without the overlap of its end with what is behind the cursor.

    Of a text with several lines the first counts: behind it the rest of the line would stand.
    """
    rest = rest_of_line(view.context).rstrip()
    if not rest.strip():
        return text
    first, newline, _ = text.partition("\n")
    line = first.rstrip()
    for candidate in (rest, rest.lstrip()):
        if line.endswith(candidate):
            return line[: len(line) - len(candidate)]
    for length in range(min(len(line), len(rest)), MIN_OVERLAP - 1, -1):
        if line.endswith(rest[:length]):
            return line[: len(line) - length]
    return first if newline and first.strip() else text
