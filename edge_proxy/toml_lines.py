"""Which line of a TOML document sets a key, in whatever way it is written; pure. The syntax tree is tree-sitter's."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from typing import Final

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

Path = tuple[str | int, ...]
"""Keys, and positions in arrays from 0, from the document's top."""

_KEYS: Final = ("bare_key", "quoted_key", "dotted_key")


def line_of(text: str, path: Path) -> int | None:
    """The line, from 1, where `path` is set, or what is nearest above it; None if nothing of it is there."""
    try:
        lines = dict(_lines(text))
    except (ValueError, IndexError):  # a document that the grammar does not know although it is right
        return None
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


def _lines(text: str) -> Iterator[tuple[Path, int]]:
    """Every key of the document with its line; what is set in two places (a table and a key in it) keeps the last."""
    tree = Parser(Language(tree_sitter_toml.language())).parse(text.encode())
    arrays: Counter[Path] = Counter()
    for node in tree.root_node.named_children:
        if node.type == "pair":
            yield from _pair(node, ())
        elif node.type in ("table", "table_array_element"):
            path: Path = _key(node.named_children[0])
            if node.type == "table_array_element":
                arrays[path] += 1
                path = (*path, arrays[path] - 1)
            yield path, _line(node)
            for pair in node.named_children[1:]:
                if pair.type == "pair":
                    yield from _pair(pair, path)


def _pair(node: Node, above: Path) -> Iterator[tuple[Path, int]]:
    key, value = (child for child in node.named_children if child.type != "comment")
    path = above + _key(key)
    yield path, _line(node)
    yield from _inside(value, path)


def _inside(value: Node, path: Path) -> Iterator[tuple[Path, int]]:
    if value.type == "inline_table":
        for pair in value.named_children:
            if pair.type == "pair":
                yield from _pair(pair, path)
    elif value.type == "array":
        items = (child for child in value.named_children if child.type != "comment")
        for index, item in enumerate(items):
            yield (*path, index), _line(item)
            yield from _inside(item, (*path, index))


def _key(node: Node) -> tuple[str, ...]:
    if node.type == "dotted_key":
        return tuple(name for child in node.named_children if child.type in _KEYS for name in _key(child))
    text = (node.text or b"").decode()
    return (next(iter(tomllib.loads(f"{text}=0"))),)  # takes the quotes off, and what is escaped in them


def _line(node: Node) -> int:
    return node.start_point.row + 1
