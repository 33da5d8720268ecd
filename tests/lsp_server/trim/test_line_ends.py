r"""Only `\n` ends a line in what is inserted."""

from __future__ import annotations

from completion_fakes import at_cursor

from lsp_server.trim.line_ends import with_plain_line_ends
from lsp_server.trim.view import View


def test_carriage_returns_are_never_inserted() -> None:
    assert (
        with_plain_line_ends("a\r\nb\rc\ud800", View(at_cursor("│"), True, "multi"))
        == "a\nb\nc\N{REPLACEMENT CHARACTER}"
    )
