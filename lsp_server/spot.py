"""Where in the syntax a cursor is: in an empty block, at a doc comment, in prose, or between statements; pure."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from lsp_server.code_lines import current_line, indentation, is_closing, lines_below
from lsp_server.openers import opens_block
from lsp_server.syntax import leaf_before, load, parse, whole_lines_from
from wire_protocol.frames import Context

if TYPE_CHECKING:
    from tree_sitter import Node

LOOK_BACK: Final = 3_000
"""Characters before the cursor that are parsed: half a millisecond, and longer than most definitions' heads."""

REMEMBERED: Final = 32
"""Texts whose answer is kept: while a suggestion streams in, the same line ends are looked at with each piece."""

DOC_MARKS: Final = ("/**", "/*!", "///", "//!", "---")
"""What doc comments start with, in the languages whose comments tell."""
_DOC_OPENERS: Final = frozenset(("/**", "/*!", '"""', "'''", 'r"""', "*"))
"""Lines of nothing else begin a doc comment, or go on in one."""

_COMPOUND: Final = frozenset(
    "async case class def elif else except finally for if match try while with".split()  # noqa: SIM905
)
"""Words that Python statements with a block start with."""


class Spot(Enum):
    """What the cursor is in, as far as it decides between one line and several."""

    BLOCK = "empty block"
    """Of a block, a definition or a list nothing but comments is there yet; also of the file."""
    DOC = "doc comment"
    """In a doc comment just begun, or right below one."""
    PROSE = "prose"
    """In another comment, or in a string."""
    CODE = "code"
    """Anywhere else: among other statements."""


def begins_doc(line: str) -> bool:
    """Whether a line holds nothing but what a doc comment begins with."""
    return line.strip() in _DOC_OPENERS


def spot(context: Context) -> Spot | None:
    """Where the cursor is, by the syntax of the text before it; None without a grammar."""
    language = context.language
    if not load(language):
        return None
    text = whole_lines_from(context.before + context.typed, LOOK_BACK)
    code = text.rstrip()
    if not code:
        return _if_empty_below(context, None)
    if _in_block_comment(text) and language != "python":
        return _doc_in_progress(text[text.rfind("/*") :], current_line(context))
    if language == "python" and (found := _python_string(text)) is not None:
        return _doc_in_progress('"""', current_line(context)) if found else Spot.PROSE
    return _after_code(context, code)


def _after_code(context: Context, code: str) -> Spot | None:
    """The spot after `code`, which ends outside of strings and block comments."""
    tree = parse(context.language, code + "\n")
    if tree is None:
        return None
    data = code.encode("utf-8", "replace")
    end = len(data)
    line = current_line(context)
    nearest = True
    while (leaf := leaf_before(tree, end)) is not None:
        skipped = _comment(leaf)
        if skipped is None:
            break
        if nearest:
            if line.strip() and "comment" in skipped.type:
                return Spot.PROSE
            if _documents(data[skipped.start_byte : end].decode("utf-8", "replace"), code, context):
                return Spot.DOC
        nearest = False
        end = len(data[: skipped.start_byte].rstrip())
    if end <= 0 or leaf is None:
        return _if_empty_below(context, None)
    above = data[:end].decode("utf-8", "replace")
    last = above[above.rfind("\n") + 1 :]
    if not opens_block(last, context.language) or (context.language == "python" and not _opens_python(leaf, last)):
        return Spot.CODE
    return _if_empty_below(context, indentation(last))


def _comment(leaf: Node) -> Node | None:
    """The comment, or the string that is a statement, that a leaf is in."""
    node: Node | None = leaf
    while node is not None:
        if "comment" in node.type:
            outer = node.parent
            return outer if outer is not None and "comment" in outer.type else node
        if node.type == "expression_statement":
            return node if node.named_child_count == 1 and node.named_children[0].type == "string" else None
        node = node.parent
    return None


def _documents(comment: str, code: str, context: Context) -> bool:
    """Whether `comment`, the end of `code`, describes what comes at the cursor: right above it, and not elsewhere."""
    text = context.before + context.typed
    if text[text.rfind(code[-len(comment) :]) :].count("\n") - comment.count("\n") != 1:
        return False
    above = code[: len(code) - len(comment)]
    start = above[above.rfind("\n") + 1 :]
    return not start.strip() and (
        comment.startswith(DOC_MARKS) or (context.language == "go" and comment.startswith("//") and not start)
    )


def _opens_python(leaf: Node, line: str) -> bool:
    """Whether the colon at the end of a line begins a block: not one of a dictionary, a slice or an annotation."""
    if leaf.type != ":":
        return leaf.type in ("(", "[", "{")
    start = line.lstrip()
    return start[:1] in (")", "]") or start.split(":")[0].split("(")[0].split(" ")[0] in _COMPOUND


def _in_block_comment(text: str) -> bool:
    return text.rfind("/*") > text.rfind("*/")


@lru_cache(REMEMBERED)
def _python_string(text: str) -> bool | None:
    """Whether `text` ends within a string of several lines that documents something; None outside of such strings."""
    quote = '"""' if text.rfind('"""') > text.rfind("'''") else "'''"
    if text.count(quote) % 2 == 0:  # nearly always; else the tree tells a string from what is in another one
        return None
    tree = parse("python", text + quote + "\n")
    leaf = None if tree is None else leaf_before(tree, len(text.encode("utf-8", "replace")))
    if leaf is None or leaf.type not in ("string_content", "string_start"):
        return None
    string = leaf.parent
    if string is None or string.type != "string" or string.end_byte - string.start_byte < 2 * len(quote):
        return None
    statement = string.parent
    if statement is None or statement.type != "expression_statement":
        return False
    return statement.prev_named_sibling is None or statement.prev_named_sibling.type == "comment"


def ends_in_python_string(text: str) -> bool:
    """Whether Python `text` ends within a string of several lines."""
    return load("python") and _python_string(whole_lines_from(text, LOOK_BACK)) is not None


def _doc_in_progress(start: str, line: str) -> Spot:
    """Several lines where a doc comment was just begun, or at a fresh line of it; within a sentence one."""
    is_doc = start.startswith(('"""', "/**", "/*!"))
    return Spot.DOC if is_doc and (not line.strip() or begins_doc(line)) else Spot.PROSE


def _if_empty_below(context: Context, base: str | None) -> Spot:
    """An empty block, unless lines below the cursor are deeper than `base`; None: unless there are any."""
    below = next(lines_below(context), "")
    if not below:
        return Spot.BLOCK
    if base is None:
        return Spot.CODE
    inside = len(indentation(below)) > len(base) and not is_closing(below)
    return Spot.CODE if inside else Spot.BLOCK
