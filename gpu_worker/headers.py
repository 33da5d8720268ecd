"""A file's path as a comment line in front of its text, for models whose vocabulary has no marker for files; pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Comment(NamedTuple):
    """What begins a comment of one line, and what ends it (empty: the line's end)."""

    opens: str
    closes: str = ""


HASH = Comment("#")
"""Also for languages that are not listed: what repository-level samples of such models were written with."""

_LANGUAGES: Mapping[Comment, str] = MappingProxyType(
    {
        Comment("//"): "c cpp csharp cuda-cpp d dart fsharp glsl go groovy hlsl java javascript javascriptreact jsonc "
        "kotlin less objective-c objective-cpp php proto proto3 rust scala scss solidity swift systemverilog "
        "typescript typescriptreact verilog zig",
        Comment("--"): "ada elm haskell lua plsql sql vhdl",
        Comment("%"): "erlang latex matlab prolog tex",
        Comment(";"): "asm clojure commonlisp ini lisp racket scheme",
        Comment('"'): "vim viml",
        Comment("'"): "vb",
        Comment("!"): "fortran fortran-modern",
        Comment("/*", " */"): "css",
        Comment("(*", " *)"): "coq ocaml",
        Comment("<!--", " -->"): "html markdown svelte vue xml xsl",
    }
)
"""Language identifiers of LSP, as editors send them."""
_BY_LANGUAGE: Mapping[str, Comment] = MappingProxyType(
    {name: comment for comment, names in _LANGUAGES.items() for name in names.split()}
)


def comment_of(language: str) -> Comment:
    """How comments of one line are written in a language."""
    return _BY_LANGUAGE.get(language, HASH)


def header(path: str, language: str) -> str:
    """The line for a file in a prompt for a document in `language`; nothing in the path ends it early."""
    comment = comment_of(language)
    return f"{comment.opens}{bare(path)}{comment.closes}\n"


def bare(path: str) -> str:
    """A path as it stands behind a comment's sign, on the same line whatever is in it."""
    return f" {' '.join(path.splitlines())}"


def whole_lines(text: str) -> str:
    """A file's text so that what follows it begins on a line of its own."""
    return text if not text or text.endswith("\n") else f"{text}\n"
