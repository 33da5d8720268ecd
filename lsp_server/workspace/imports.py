"""What the head of a file imports, read from its syntax tree; for Python, JavaScript and TypeScript, Go, Rust, C."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lsp_server.workspace.languages import family
from lsp_server.workspace.trees import parsed, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_IMPORTS: Final = 100
MAX_DEPTH: Final = 6
"""How deep imports are looked for: in `if TYPE_CHECKING`, in `try`."""


@dataclass(frozen=True, slots=True)
class Import:
    """`names` of a module, as it calls them; or the module itself, whose names are used behind `qualifier`.

    `level` counts the leading dots of a relative Python import. With `everything` any name may come from it.
    """

    module: str
    names: tuple[str, ...] = ()
    qualifier: str = ""
    level: int = 0
    everything: bool = False


def imports_of(language: str, text: str) -> list[Import]:
    """The imports at the head of `text`, in their order; at most MAX_IMPORTS. Blocks for about a millisecond."""
    reader = _READERS.get(family(language))
    root = parsed(language, text) if reader is not None else None
    if reader is None or root is None:
        return []
    found: list[Import] = []
    for node in _below(root, 0):
        found += reader(node)
        if len(found) >= MAX_IMPORTS:
            break
    return found[:MAX_IMPORTS]


def _below(node: Node, depth: int) -> Iterator[Node]:
    for child in node.named_children:
        yield child
        if depth < MAX_DEPTH and child.type in _HOLDERS:
            yield from _below(child, depth + 1)


_HOLDERS: Final = frozenset({
    "if_statement", "else_clause", "try_statement", "except_clause", "block", "import_declaration",
    "import_spec_list", "preproc_ifdef", "preproc_if", "preproc_else", "lexical_declaration",
    "variable_declaration", "ERROR", "linkage_specification", "declaration_list",
})  # fmt: skip


def _python(node: Node) -> Iterator[Import]:
    if node.type == "import_statement":
        for name in node.children_by_field_name("name"):
            module = name.child_by_field_name("name") or name
            alias = name.child_by_field_name("alias")
            yield Import(text_of(module), qualifier=text_of(alias) or text_of(module))
    elif node.type == "import_from_statement":
        dotted = text_of(node.child_by_field_name("module_name"))
        names = [each.child_by_field_name("name") or each for each in node.children_by_field_name("name")]
        bare = dotted.lstrip(".")
        everything = any(child.type == "wildcard_import" for child in node.children)
        yield Import(bare, tuple(map(text_of, names)), level=len(dotted) - len(bare), everything=everything)


def _javascript(node: Node) -> Iterator[Import]:
    if node.type == "import_statement":
        module = text_of(node.child_by_field_name("source")).strip("'\"`")
        names: list[str] = []
        qualifier, default = "", False
        for clause in (child for child in node.named_children if child.type == "import_clause"):
            for part in clause.named_children:
                if part.type == "named_imports":
                    names += [text_of(each.child_by_field_name("name")) for each in part.named_children]
                elif part.type == "namespace_import":
                    qualifier = text_of(part.named_children[-1]) if part.named_children else ""
                elif part.type == "identifier":
                    default = True
                    names.append(text_of(part))
        yield Import(module, tuple(name for name in names if name), qualifier, everything=default and not names)
    elif node.type == "variable_declarator":
        value, name = node.child_by_field_name("value"), node.child_by_field_name("name")
        if value is None or name is None or value.type != "call_expression":
            return
        arguments = value.child_by_field_name("arguments")
        if text_of(value.child_by_field_name("function")) == "require" and arguments is not None:
            module = text_of(arguments).strip("()'\"` ")
            names = [text_of(each) for each in name.named_children] if name.type == "object_pattern" else []
            yield Import(module, tuple(names), "" if names else text_of(name))


def _go(node: Node) -> Iterator[Import]:
    if node.type == "import_spec":
        module = text_of(node.child_by_field_name("path")).strip('"`')
        qualifier = text_of(node.child_by_field_name("name")) or module.rpartition("/")[2]
        yield Import(module, qualifier=qualifier)


def _rust(node: Node) -> Iterator[Import]:
    if node.type == "use_declaration":
        argument = node.child_by_field_name("argument")
        if argument is not None:
            yield from _rust_tree(argument, "", 0)


def _rust_tree(node: Node, above: str, depth: int) -> Iterator[Import]:
    if depth > MAX_DEPTH:
        return
    if node.type == "scoped_use_list":
        path = text_of(node.child_by_field_name("path"))
        items = node.child_by_field_name("list")
        for each in items.named_children if items is not None else ():
            yield from _rust_tree(each, f"{above}{path}::", depth + 1)
    elif node.type == "use_wildcard":
        yield Import((above + text_of(node)).removesuffix("::*"), everything=True)
    elif node.type == "use_as_clause":
        yield from _rust_tree(node.named_children[0], above, depth + 1)
    elif node.type in ("scoped_identifier", "identifier"):
        module, _, name = (above + text_of(node)).rpartition("::")
        yield Import(module, (name,), qualifier=name)


def _c(node: Node) -> Iterator[Import]:
    if node.type == "preproc_include":
        yield Import(text_of(node.child_by_field_name("path")).strip('"<>'), everything=True)


_READERS: Final[dict[str, Callable[[Node], Iterator[Import]]]] = {
    "python": _python,
    "javascript": _javascript,
    "go": _go,
    "rust": _rust,
    "c": _c,
}
