"""Parsers for the workspace's own thread: a parser must not be used from two threads at once."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from lsp_server.syntax import new_parser

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_PARSED: Final = 8_192
"""Characters parsed at once: the parser holds the interpreter for 0.15 ms for each 1,000."""


_parser = cache(new_parser)


def parsed(language: str, text: str) -> Node | None:
    """The root of the first MAX_PARSED characters; None without a grammar."""
    parser = _parser(language)
    return None if parser is None else parser.parse(text[:MAX_PARSED].encode("utf-8", "replace")).root_node


def text_of(node: Node | None) -> str:
    """The text of a node; "" for none."""
    return "" if node is None or node.text is None else node.text.decode("utf-8", "replace")
