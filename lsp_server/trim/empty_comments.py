"""A comment that says nothing is no suggestion."""

from __future__ import annotations

from typing import Final

from lsp_server.code_lines import current_line
from lsp_server.trim.view import View

_MARKS: Final = ("//", "--", "/*", "/**", "///", "<!--")
_HASH: Final = frozenset(
    "python ruby php shellscript perl r elixir julia yaml toml dockerfile makefile powershell nix".split()  # noqa: SIM905
)
"""Languages, by LSP id, in which `#` begins a comment."""


def without_empty_comments(text: str, view: View) -> str:
    """`text` without lines at its end that hold nothing but what a comment begins with."""
    pieces = text.split("\n")
    kept = len(pieces)
    for number in range(len(pieces) - 1, -1, -1):
        line = pieces[number] if number else current_line(view.context) + pieces[0]
        if _is_empty_comment(line, view.context.language):
            kept = number
        elif pieces[number].strip():
            break
    return text if kept == len(pieces) else "\n".join(pieces[:kept])


def _is_empty_comment(line: str, language: str) -> bool:
    mark = line.strip()
    return mark in _MARKS or (mark == "#" and language in _HASH)
