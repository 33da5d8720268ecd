"""Which kind of code each token of a text is: closing syntax, common patterns, names, logic, or comments; pure.

The kinds are those by which the case study reports acceptance; where they lie exactly is defined here, for every
language that Pygments has a lexer for:

  comments         comments, docstrings and strings, prose (of Markdown), plain values (of YAML and Dockerfiles)
  closing syntax   ) ] } ; , : and line breaks with the indentation behind them: what ends something
  logic            operators, numbers, and the words that decide or leave: if, for, return, not, …
  common patterns  all other keywords, built-in names (self, len, int), the signs that open or join: ( [ { . -> => ::,
                   directives (#include, #!), and the stock idioms below, whole
  names            all other names: what somebody chose for this program

A token of a language model may cover several of these. It is what its first word is, if it holds any letter or digit
(` (self` is `self`), else what its first visible sign is, else (blanks only) closing syntax where it breaks a line,
and otherwise what the next visible character is: the indentation before a word belongs to the word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Final, Literal

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Name, Number, Operator, String, _TokenType
from pygments.token import Literal as Value
from pygments.util import ClassNotFound

Kind = Literal["closing syntax", "common patterns", "names", "logic", "comments"]
KINDS: Final[tuple[Kind, ...]] = ("closing syntax", "common patterns", "names", "logic", "comments")

LEXERS: Final = {"shellscript": "bash", "dockerfile": "docker", "typescriptreact": "tsx", "javascriptreact": "jsx"}
"""Pygments' names where they are not the LSP language id."""
PROSE: Final = frozenset({"markdown", "plaintext"})

_CONTROL_WORDS: Final = """
    if elif else elsif unless for foreach while until loop do done then fi match case esac switch default select when
    try except catch finally return yield break continue goto fallthrough raise throw defer assert await
    and or not in is instanceof typeof xor
"""
CONTROL: Final = frozenset(_CONTROL_WORDS.split())
"""Words that decide, repeat or leave, in any of the languages."""
CLOSING: Final = frozenset(")]};,:")
OPENING: Final = frozenset("([{.@\\$`")
JOINING: Final = re.compile(r"->|=>|::")

IDIOMS: Final[dict[str, re.Pattern[str]]] = {
    "python": re.compile(
        r"if __name__ == (['\"])__main__\1:|import numpy as np|import pandas as pd|from __future__ import annotations"
        r"|from typing import|for \w+ in (?:range|enumerate|zip)\(|def __\w+__\(self|super\(\)\.__init__\("
        r"|raise NotImplementedError|with open\(|is (?:not )?None|return (?:None|True|False|self)\b"
        r"|(?:\*args|\*\*kwargs)\b|except \w*Error(?: as \w+)?:"
    ),
    "go": re.compile(r"if err != nil \{|return (?:nil, )?err\b|return nil\b|:= range\b|, ok :="),
    "rust": re.compile(
        r"#\[(?:derive|inline|cfg)\(?|\bimpl\b.*\bfor\b|&mut self|&self|\.unwrap\(\)|Ok\(\(\)\)|-> Self"
    ),
    "c": re.compile(
        r"#include [<\"]|int main\(|return (?:0|NULL);|sizeof\(|for \((?:int |size_t )?i = 0;|!= NULL|== NULL"
    ),
    "typescript": re.compile(
        r"(?:import|export) \{|export (?:default|const|function|class|interface|type)|console\.\w+\("
        r"|[!=]== (?:undefined|null)\b|module\.exports|require\(|use strict|for \((?:let|const|var) \w+ (?:of|in|= 0)"
    ),
    "shellscript": re.compile(r"set -[eux]+(?: pipefail)?|if \[\[? |>/dev/null(?: 2>&1)?|2>&1|\"\$@\"|exit [01]\b"),
    "dockerfile": re.compile(r"apt-get (?:update|install)|--no-cache-dir|rm -rf /var/lib/apt/lists/\*"),
}
"""Turns of phrase that everybody writes the same way, in code (not in comments or strings)."""
_SAME_IDIOMS: Final = dict.fromkeys(("javascript", "typescriptreact", "javascriptreact"), "typescript")
_WORD: Final = re.compile(r"\w")
_VISIBLE: Final = re.compile(r"\S")


def of_tokens(before: str, pieces: Sequence[bytes], after: str, language: str) -> list[Kind]:
    """The kind of each token (its UTF-8 bytes, perhaps a part of a character) that stands between two texts.

    `after` is needed: of a comment that it closes nothing could be known without it.
    """
    ends = [0]
    data = b""
    for piece in pieces:
        data += piece
        ends.append(len(data.decode("utf-8", "ignore")))
    text = before + data.decode("utf-8", "ignore") + after
    kinds = of_characters(text, language)
    offset = len(before)
    return [_of_span(text, kinds, offset + start, offset + end) for start, end in pairwise(ends)]


def of_characters(text: str, language: str) -> list[Kind | None]:
    """The kind of each character of a text; None for blanks that are in no string or comment."""
    lexer = _lexer(language)
    plain: Kind = "comments" if language in PROSE else "names"
    kinds: list[Kind | None] = [None] * len(text)
    idioms = IDIOMS.get(_SAME_IDIOMS.get(language, language))
    for start, kind, value in lexer.get_tokens_unprocessed(text):
        if language == "yaml" and kind in Name.Constant:
            kind = Value.Scalar  # what the lexer calls the lines of a block scalar
        _paint(kinds, text, start, kind, value, plain)
    for match in idioms.finditer(text) if idioms else ():
        # An idiom that is quoted or mentioned is text; a string inside one ("__main__") belongs to it.
        if kinds[match.start()] != "comments":
            kinds[match.start() : match.end()] = ["common patterns"] * (match.end() - match.start())
    return kinds


def _paint(kinds: list[Kind | None], text: str, start: int, token: _TokenType, value: str, plain: Kind) -> None:
    """Give the characters of one lexer token their kinds."""
    kind = _of_token(token, value)
    for at in range(start, start + len(value)):
        if kind == "comments" or not text[at].isspace():
            kinds[at] = kind or _of_sign(text, at, plain)


def _of_token(token: _TokenType, value: str) -> Kind | None:
    """The kind of a lexer's token; None where each of its characters decides for itself."""
    if token in Comment.Preproc or token in Comment.Hashbang:
        return "common patterns"
    if token in Comment.PreprocFile:
        return "names"
    if token in String.Interpol and not _WORD.search(value):
        return None  # the braces around a name in a string; `%s` is string
    if token in Comment or token in String or token in Generic:
        return "comments"
    if token in Number:
        return "logic"
    if token in Value:
        return "comments"
    word = value.strip()
    if not _WORD.search(word):
        return None
    if token in Keyword or token in Operator.Word:
        return "logic" if word.lower() in CONTROL else "common patterns"
    if token in Name.Builtin or token in Name.Function.Magic or token in Name.Variable.Magic:
        return "common patterns"
    return "names" if token in Name else None


def _of_sign(text: str, at: int, plain: Kind) -> Kind:
    """The kind of one visible character by itself."""
    sign = text[at]
    if sign.isalnum() or sign == "_":
        return plain
    if JOINING.match(text, at) or (at and JOINING.match(text, at - 1)):
        return "common patterns"
    if plain == "comments":
        return plain
    if sign in CLOSING:
        return "closing syntax"
    return "common patterns" if sign in OPENING else "logic"


def _of_span(text: str, kinds: Sequence[Kind | None], start: int, end: int) -> Kind:
    """The kind of one token's characters."""
    # Part of a character: the character's kind.
    end = max(end, min(start + 1, len(text)))
    found = _WORD.search(text, start, end) or _VISIBLE.search(text, start, end)
    if found is None:
        inside = kinds[start] if start < end else None
        if inside is not None:
            return inside
        if "\n" in text[start:end]:
            return "closing syntax"
        found = _VISIBLE.search(text, end)
    kind = kinds[found.start()] if found else None
    return kind or "closing syntax"


@cache
def _lexer(language: str) -> Lexer:
    try:
        return get_lexer_by_name(LEXERS.get(language, language))
    except ClassNotFound:  # words are names, signs are what they look like
        return get_lexer_by_name("text")
