"""A suggestion stops where it begins to write what stands behind the cursor on its line."""

from __future__ import annotations

from typing import Final

from lsp_server.code_lines import rest_of_line
from lsp_server.trim.view import View

MIN_START: Final = 8
"""Characters behind the cursor by which they are recognised in the middle of a line; fewer occur by chance."""
MAX_START: Final = 20
"""More need not agree: what comes then may be the model's own idea of it."""


def without_start_of_after(text: str, view: View) -> str:
    """The first line of `text` up to where the rest of the cursor's line begins in it."""
    start = rest_of_line(view.context).strip()[:MAX_START]
    if len(start) < MIN_START:
        return text
    at = text.partition("\n")[0].find(start)
    return text[:at] if at >= 0 else text
