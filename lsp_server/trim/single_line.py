"""Where one line is wanted, only the first line that says something is kept."""

from __future__ import annotations

from lsp_server.code_lines import rest_of_line
from lsp_server.multiline import end_of
from lsp_server.trim.view import View


def only_one_line(text: str, view: View) -> str:
    """`text` up to the end of its first line with visible text.

    A text that goes on in the next line although the cursor's has more behind the cursor would tear that line apart.
    """
    if view.lines == "multi":
        return text
    if text.lstrip(" \t").startswith("\n") and rest_of_line(view.context).strip():
        return ""
    end = end_of(view.context, text, "single")
    return text if end is None else text[:end]
