"""Signatures of definitions: what a name is declared as, without what its body does; from syntax trees."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lsp_server.workspace.definitions import definitions
from lsp_server.workspace.trees import MAX_PARSED, parsed, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_SIGNATURE: Final = 600
"""Characters of one, the members of a type among them."""
MAX_MEMBER: Final = 160
MAX_MEMBERS: Final = 24
_PIECE: Final = MAX_PARSED // 2
"""Characters of a definition that are parsed: its head, and as much of a type's members as can be shown."""

_WITH_MEMBERS: Final = frozenset({
    "class_definition", "class_declaration", "abstract_class_declaration", "interface_declaration",
    "struct_item", "enum_item", "trait_item", "enum_declaration", "struct_specifier", "enum_specifier",
    "union_specifier", "class_specifier", "type_declaration", "impl_item",
})  # fmt: skip
_VALUES: Final = frozenset({"lexical_declaration", "variable_declaration"})
_WRAPPERS: Final = frozenset({"export_statement", "decorated_definition", "declaration", "type_definition"})


@dataclass(frozen=True, slots=True)
class Declaration:
    """`line` counts from 0; `text` ends with a line break."""

    path: str
    name: str
    line: int
    text: str


def declarations(language: str, path: str, text: str, names: Collection[str]) -> Iterator[Declaration]:
    """The declarations of `names` in a file, one step each; a name that is defined twice, as the first time."""
    left = set(names)
    line, counted = 0, 0
    for name, at in definitions(language, text):
        if name not in left:
            continue
        left.discard(name)
        line += text.count("\n", counted, at)
        counted = at
        signature = signature_of(language, text[at : at + _PIECE])
        if signature:
            yield Declaration(path, name, line, signature + "\n")


def signature_of(language: str, piece: str) -> str:
    """The signature of the definition that `piece` begins with; its first line where there is no grammar."""
    root = parsed(language, piece)
    node = _first(root) if root is not None else None
    if node is None or node.type in _VALUES:
        return _first_line(piece)
    body = node.child_by_field_name("body")
    if node.type in _WITH_MEMBERS or (body is not None and node.type == "type_declaration"):
        return _type(node, body, piece)
    if body is None:
        return text_of(node)[:MAX_SIGNATURE] if text_of(node).count("\n") < 4 else _first_line(piece)
    return _head(node, body)


def _first(root: Node) -> Node | None:
    """The definition's own node, out of what exports or wraps it."""
    node = next((child for child in root.named_children if child.type != "comment"), None)
    while node is not None and node.type in _WRAPPERS:
        inner = next((child for child in node.named_children if child.type.endswith(_DEFINES)), None)
        if inner is None:
            break
        node = inner
    return None if node is None or node.type == "ERROR" else node


_DEFINES: Final = ("definition", "declaration", "_item", "_specifier")


def _type(node: Node, body: Node | None, piece: str) -> str:
    if body is None:
        text = text_of(node)
        return text if len(text) <= MAX_SIGNATURE else text[: text.rfind("\n", 0, MAX_SIGNATURE) + 1].rstrip()
    shown = [_head(node, body)]
    left = MAX_SIGNATURE - len(shown[0])
    for child in body.named_children[: 4 * MAX_MEMBERS]:
        member = _member(child)
        if not member:
            continue
        left -= len(member) + 5
        if left < 0 or len(shown) > MAX_MEMBERS:
            break
        shown.append(f"    {member}")
    return "\n".join(shown)


def _member(node: Node) -> str:
    if node.type == "decorated_definition":
        node = node.child_by_field_name("definition") or node
    if "comment" in node.type or any(child.type == "string" for child in node.named_children[:1]):
        return ""  # a docstring says more than fits
    name = text_of(node.child_by_field_name("name"))
    if name.startswith("_") and name != "__init__" and not name.startswith("__"):
        return ""
    body = node.child_by_field_name("body")
    text = " ".join((text_of(node) if body is None else _head(node, body)).split())
    return text if len(text) <= MAX_MEMBER else ""


def _head(node: Node, body: Node) -> str:
    """The text of a node up to its body."""
    raw = node.text or b""
    head = raw[: body.start_byte - node.start_byte].decode("utf-8", "replace").rstrip().rstrip("{").rstrip()
    return head[:MAX_SIGNATURE]


def _first_line(piece: str) -> str:
    line = piece.partition("\n")[0].rstrip().rstrip("{").rstrip()
    return line[:MAX_MEMBER]
