"""Nothing is suggested that cannot be seen: white space at the end."""

from __future__ import annotations

from lsp_server.code_lines import rest_of_line
from lsp_server.trim.view import View


def without_trailing_space(text: str, view: View) -> str:
    """`text` without line ends and white space at its end; before more code on the same line spaces are kept."""
    if "\n" not in text and rest_of_line(view.context).strip():
        return text
    return text.rstrip()
