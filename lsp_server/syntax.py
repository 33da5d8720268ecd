"""Syntax trees of the text around a cursor: tree-sitter grammars as wheels, each imported when first needed.

Only a window of bounded size is parsed, never the document: 0.2 ms for 1,000 characters, whatever the file's size.
Where a grammar is not installed the answer is None, and callers go by brackets and indentation.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

_TYPESCRIPT: Final = ("tree_sitter_typescript", "language_typescript")
_TSX: Final = ("tree_sitter_typescript", "language_tsx")
GRAMMARS: Final[dict[str, tuple[str, str]]] = {
    "python": ("tree_sitter_python", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "javascriptreact": ("tree_sitter_javascript", "language"),
    "typescript": _TYPESCRIPT,
    "typescriptreact": _TSX,
    "go": ("tree_sitter_go", "language"),
    "rust": ("tree_sitter_rust", "language"),
    "c": ("tree_sitter_c", "language"),
    "cpp": ("tree_sitter_cpp", "language"),
    "java": ("tree_sitter_java", "language"),
    "csharp": ("tree_sitter_c_sharp", "language"),
    "ruby": ("tree_sitter_ruby", "language"),
    "php": ("tree_sitter_php", "language_php"),
    "shellscript": ("tree_sitter_bash", "language"),
    "lua": ("tree_sitter_lua", "language"),
}
"""By LSP language id: the module of a grammar and its function."""

MAX_PARSED: Final = 12_288
"""Characters: more than a context holds with a suggestion in it. Longer texts are not parsed."""


def new_parser(language: str) -> Parser | None:
    """A parser for one thread: two must not share it. None without a grammar."""
    if language not in GRAMMARS:
        return None
    module, function = GRAMMARS[language]
    try:
        from tree_sitter import Language, Parser

        return Parser(Language(getattr(importlib.import_module(module), function)()))
    except (ImportError, AttributeError, OSError, ValueError):  # not installed, or built for another tree-sitter
        return None


_parser = cache(new_parser)


def load(language: str) -> bool:
    """Import the grammar of an LSP language id, tens of milliseconds the first time; whether there is one.

    Worth calling from a thread when a document is opened, so that no keystroke waits for it.
    """
    return _parser(language) is not None


def parse(language: str, text: str) -> Tree | None:
    """The tree of `text`, whose positions are in bytes of UTF-8; None without a grammar, or if it is too long."""
    if len(text) > MAX_PARSED:
        return None
    parser = _parser(language)
    return None if parser is None else parser.parse(text.encode("utf-8", "replace"))


def leaf_before(tree: Tree, byte: int) -> Node | None:
    """The smallest node that covers the byte before `byte`."""
    return tree.root_node.descendant_for_byte_range(byte - 1, byte) if byte > 0 else None


def errors(node: Node) -> Iterator[Node]:
    """The outermost nodes within `node` that stand for wrong or missing text, in their order."""
    if node.is_error or node.is_missing:
        yield node
    elif node.has_error:
        for child in node.children:
            yield from errors(child)


def whole_lines_from(text: str, characters: int) -> str:
    """The end of `text`, of at most `characters`, from a line that most likely starts outside of strings and comments.

    That is a line whose first column holds a word; without any, the first whole line.
    """
    if len(text) <= characters:
        return text
    at = first = text.find("\n", len(text) - characters) + 1
    if first == 0:
        return text[len(text) - characters :]
    while 0 < at < len(text):
        if text[at].isalpha() or text[at] == "@":
            return text[at:]
        at = text.find("\n", at) + 1
    return text[first:]
