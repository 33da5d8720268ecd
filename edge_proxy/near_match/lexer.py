"""Source text as tokens, without white space and comments, in whatever language; pure.

A grammar for each language (tree-sitter, pygments) would be exact, and costs ten times as much: every request that no
exact match answers pays for this. What is a comment follows from the language; what is not known to be one stays a
token, so that texts which differ there are no match.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

Kind = Literal["name", "number", "string", "mark", "line"]

HASH_COMMENTS: Final = frozenset(
    {"python", "shellscript", "ruby", "perl", "r", "yaml", "toml", "dockerfile", "makefile", "cmake", "elixir"}
)
DASH_COMMENTS: Final = frozenset({"lua", "sql", "haskell"})
PLAIN: Final = frozenset({"markdown", "plaintext", "html", "xml", "css", "json"})
"""No comments that are told apart here; every other language has `//` and `/* */`."""

_REST: Final = (
    r"(?P<string>\"(?:\\.|[^\"\\\n])*\"?|'(?:\\.|[^'\\\n])*'?|`[^`]*`?)"
    r"|(?P<number>\d[\w.]*)|(?P<name>[^\W\d]\w*)|(?P<line>\n)|(?P<mark>[^\w\s])"
)


class Token(NamedTuple):
    """A piece of text: `line` is the end of a line that has more than white space and comments on it."""

    kind: Kind
    text: str
    at: int
    """Where it begins, in code points."""


def _compiled(comment: str) -> re.Pattern[str]:
    return re.compile(f"{comment}|{_REST}" if comment else _REST)


_HASH: Final = _compiled(r"#[^\n]*")
_DASH: Final = _compiled(r"--[^\n]*")
_SLASH: Final = _compiled(r"//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/)?")
_NONE: Final = _compiled("")


def tokens(text: str, language: str) -> list[Token]:
    """Blank lines and lines of comments leave no token."""
    found: list[Token] = []
    for match in _pattern_of(language).finditer(text):
        kind = match.lastgroup
        if kind is None or (kind == "line" and (not found or found[-1].kind == "line")):
            continue
        found.append(Token(kind, match.group(), match.start()))  # type: ignore[arg-type]
    return found


def ends_in_comment(text: str, language: str) -> bool:
    """Whether what is written at the end of `text` would be part of a comment."""
    pattern = _pattern_of(language)
    if pattern is _SLASH and text.rfind("/*") > text.rfind("*/"):
        return True
    line = text[text.rfind("\n") + 1 :]
    last = list(pattern.finditer(line))[-1:]
    return any(match.lastgroup is None and match.end() == len(line) for match in last) and not line.endswith("*/")


def _pattern_of(language: str) -> re.Pattern[str]:
    if language in HASH_COMMENTS:
        return _HASH
    if language in DASH_COMMENTS:
        return _DASH
    return _NONE if language in PLAIN else _SLASH
