"""Which names of a piece of code are bound in it, so that another name would mean the same; pure.

A name is local if it is assigned at a statement's own level (`x = …`, `let x`, `for x in`, `x := `), or is a parameter.
Attributes, called functions, imported modules and the names of keyword arguments are not: another name there is another
thing. A name that is local in one place of the window counts as local in all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from edge_proxy.near_match.lexer import Token

BINDERS: Final = frozenset({"for", "let", "const", "var", "mut", "lambda", "catch", "val"})
"""Words before a name that bind it."""
FUNCTIONS: Final = frozenset({"def", "fn", "func", "function"})
_WORDS: Final = (
    "and as async await break case catch class const continue def default del do elif else end enum "
    "except export extends false finally fn for from func function global go if impl import in interface "
    "is lambda let local loop match mut new nil none not null or package pass pub public private "
    "protected raise return self static struct super switch then this throw trait true try type undefined "
    "use val var void while with yield False None True"
)
KEYWORDS: Final = frozenset(_WORDS.split())
"""Of all languages together: no local is called so."""

_OPEN: Final = frozenset("([{")
_CLOSE: Final = frozenset(")]}")


def local_names(tokens: Sequence[Token]) -> frozenset[str]:
    """The names that `tokens` bind."""
    bound: set[str] = set()
    depth = 0
    parameters_at = -1
    """Depth inside the parentheses of a function's head; -1 outside of one."""
    for number, token in enumerate(tokens):
        before = tokens[number - 1].text if number else "\n"
        if token.kind == "mark":
            if token.text in _OPEN:
                depth += 1
                if token.text == "(" and _is_head(tokens, number):
                    parameters_at = depth
            elif token.text in _CLOSE:
                if depth == parameters_at:
                    parameters_at = -1
                depth = max(0, depth - 1)
        elif token.kind == "name" and token.text not in KEYWORDS and before != ".":
            is_parameter = depth == parameters_at and _begins_argument(tokens, number)
            if before in BINDERS or is_parameter or (not depth and _is_assigned(tokens, number)):
                bound.add(token.text)
    return frozenset(bound)


def _is_head(tokens: Sequence[Token], parenthesis: int) -> bool:
    """Whether this parenthesis opens the parameters of `def name(` or `function (`."""
    back = [token.text for token in tokens[max(0, parenthesis - 2) : parenthesis]]
    return any(text in FUNCTIONS for text in back)


def _begins_argument(tokens: Sequence[Token], number: int) -> bool:
    """Whether nothing but stars stands between this name and the parenthesis or comma before it."""
    number -= 1
    while number > 0 and tokens[number].text in {"*", "&"}:
        number -= 1
    return tokens[number].text in {"(", ","}


def _is_assigned(tokens: Sequence[Token], number: int) -> bool:
    """Whether `=` or `:=` follows, after further names of the same assignment."""
    after = [token.text for token in tokens[number + 1 : number + 4]]
    if after[:1] == ["="]:
        return after[1:2] != ["="]
    return after[:2] == [":", "="] or (after[:1] == [","] and after[2:3] in (["="], [","]))
