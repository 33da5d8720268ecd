"""A text of several lines that was cut loses its last line, which may be half of one."""

from __future__ import annotations

from lsp_server.trim.view import View


def without_unfinished_line(text: str, view: View) -> str:
    """`text` up to its last line end, if it was cut and has more than one line; a single cut line still helps."""
    if view.complete or view.lines == "single":
        return text
    whole = text[: text.rfind("\n") + 1]
    return whole if whole.strip() else text
