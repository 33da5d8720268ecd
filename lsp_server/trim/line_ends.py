r"""Only `\n` ends a line in what is inserted; the editor writes the file's own line endings."""

from __future__ import annotations

from lsp_server.trim.view import View
from wire_protocol.text import clean


def with_plain_line_ends(text: str, view: View) -> str:
    r"""`text` without `\r`, and with nothing that cannot be encoded."""
    return clean(text)
