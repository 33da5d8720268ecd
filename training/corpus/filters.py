"""Which texts are worth learning from: not generated, minified, a table of data, or under another licence."""

from __future__ import annotations

import re
import string
import zlib
from collections.abc import Collection
from typing import Any

from training import licences

# Files that a program wrote: nobody types them, and they are long.
GENERATED = re.compile(
    r"do not (edit|modify)|@generated\b|auto(matically)?[- ]?generated|code generated"
    r"|generated (automatically|by|from|with|using)",
    re.IGNORECASE,
)
GENERATED_HEAD = 1500
# What compilers and bundlers of JavaScript leave behind.
COMPILED = re.compile(
    r"Object\.defineProperty\(exports, ['\"]__esModule['\"]|__webpack_require__|_interopRequire"
    r"|^var __(awaiter|assign|extends|create|defProp)"
    r"|^//[#@] sourceMappingURL=",
    re.MULTILINE,
)
LEGAL = re.compile(r"copyright|licen[cs]e|spdx|all rights reserved", re.IGNORECASE)
SHEBANG = re.compile(r"#![^\n]*\n")
LEADING_COMMENTS = {
    "#": re.compile(r"(?:[ \t]*#[^\n]*\n|[ \t]*\n)+"),
    "//": re.compile(r"(?:[ \t]*//[^\n]*\n|[ \t]*/\*.*?\*/[ \t]*\n|[ \t]*\n)+", re.DOTALL),
    "<!--": re.compile(r"(?:[ \t]*<!--.*?-->[ \t]*\n|[ \t]*\n)+", re.DOTALL),
}
COMMENT_OF = {
    **dict.fromkeys(("python", "shellscript", "toml", "yaml", "dockerfile"), "#"),
    **dict.fromkeys(("typescript", "javascript", "go", "rust", "c"), "//"),
    "markdown": "<!--",
}
# A file may state another licence than its package.
FOREIGN_LICENCE = re.compile(
    r"GNU\s+(?:#|\*|//|\s)*(?:Lesser\s+|Library\s+|Affero\s+)?(?:#|\*|//|\s)*General\s+(?:#|\*|//|\s)*Public\s+(?:#|\*|//|\s)*Licen[cs]e"
    r"|Mozilla\s+Public\s+Licen[cs]e|Creative\s+Commons\s+Attribution|Eclipse\s+Public\s+Licen[cs]e",
    re.IGNORECASE,
)
SPDX = re.compile(r"SPDX-License-Identifier:\s*([^\n*]+?)\s*(?:\*/|-->|\n)")
LICENCE_HEAD = 3000
# Code compresses to about a quarter; tables and repeated boilerplate go far below.
MIN_COMPRESSED_SHARE = 0.13
# Code is mostly letters; tables of numbers are not.
MIN_LETTERS_SHARE = 0.40
MAX_NON_ASCII_SHARE = 0.05
# Tables of bytes written as 0x1f have letters in them.
HEXADECIMAL = re.compile(r"\b0[xX][0-9a-fA-F]+\b")
MAX_HEXADECIMAL_SHARE = 0.15
# Data inside a text: base64 or hexadecimal without a break.
BLOB = re.compile(r"[A-Za-z0-9+/]{160}")
ASCII_LETTERS = string.ascii_letters.encode()
WHITE_SPACE = string.whitespace.encode()


def clean(text: str, language: str = "python") -> str:
    """The text with \\n line ends, without byte order mark, trailing blanks and a leading legal notice.

    A shell script keeps its first line (`#!`), whatever follows it.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    text = "\n".join(line.rstrip() for line in text.split("\n")).strip("\n") + "\n"
    shebang = SHEBANG.match(text) if language == "shellscript" else None
    first, rest = (shebang.group(), text[shebang.end() :]) if shebang else ("", text)
    head = LEADING_COMMENTS[COMMENT_OF[language]].match(rest)
    if head and LEGAL.search(head.group()):
        rest = rest[head.end() :]
    return first + rest


def foreign_licence(text: str, listed: Collection[str]) -> bool:
    """Whether the file's head names a licence that is not on the list."""
    head = text[:LICENCE_HEAD]
    if stated := SPDX.search(head):
        return not licences.allowed(stated.group(1), listed)
    return bool(FOREIGN_LICENCE.search(head))


def fault(text: str, language: str, limits: dict[str, Any]) -> str | None:
    """Why a cleaned text is not worth learning from, or None if it is.

    `limits` is the configuration's corpus section; a language's own table overrides its sizes.
    """
    own = {**limits, **limits["languages"][language]}
    data = text.encode("utf-8", errors="replace")
    if not own["min_file_bytes"] <= len(data) <= own["max_file_bytes"]:
        return "size"
    if GENERATED.search(text[:GENERATED_HEAD]) or (language == "javascript" and COMPILED.search(text)):
        return "generated"
    if "\x00" in text or "<|" in text:
        return "markers"
    if max(map(len, text.split("\n"))) > own["max_line_length"] or BLOB.search(text):
        return "minified_or_data"
    solid = len(data.translate(None, WHITE_SPACE))
    letters = len(data) - len(data.translate(None, ASCII_LETTERS))
    if letters < MIN_LETTERS_SHARE * solid or len(data) - len(text) > MAX_NON_ASCII_SHARE * len(text):
        return "minified_or_data"
    if sum(map(len, HEXADECIMAL.findall(text))) > MAX_HEXADECIMAL_SHARE * solid:
        return "minified_or_data"
    if len(zlib.compress(data)) < MIN_COMPRESSED_SHARE * len(data):
        return "minified_or_data"
    return None
