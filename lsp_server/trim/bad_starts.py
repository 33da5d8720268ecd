"""What models put before the code: a fence, invisible characters, the space or the line break that is there already."""

from __future__ import annotations

import re
from typing import Final

from lsp_server.code_lines import current_line, indentation
from lsp_server.trim.view import View

_INVISIBLE: Final = re.compile("[\u200b-\u200f\u2060\ufeff\ufffd]+")
"""Zero-width characters, byte order marks, and what could not be decoded."""
_FENCE: Final = re.compile(r"\s*```[\w+#-]*[ \t]*\n")
_BREAK: Final = re.compile(r"(?:[ \t]*\n)+(?=[ \t]*\S)")
_SENTENCE_ENDS: Final = frozenset(("", " ", "\t", ".", "!", "?", ":"))
"""Behind these two spaces may be meant."""
_COMMENTS: Final = ("#", "//", "--", "/*", ";")


def without_bad_start(text: str, view: View) -> str:
    """`text` without what cannot be its beginning at the cursor."""
    if found := _INVISIBLE.match(text):
        text = text[found.end() :]
    if view.context.language != "markdown" and (found := _FENCE.match(text)):
        text = text[found.end() :].partition("```")[0]
    line = current_line(view.context)
    if line and not line.strip():
        return _at_this_line(text, line)
    if _ends_with_one_space(line) and text[:1] == " " and text[1:2].strip() and not text[1:].startswith(_COMMENTS):
        return text[1:]
    return text


def _at_this_line(text: str, line: str) -> str:
    """Where the cursor's line is indented already, `text` without the line break before code of that indentation."""
    found = _BREAK.match(text)
    if found is None:
        return text
    rest = text[found.end() :]
    return rest[len(line) :] if indentation(rest) == line else text


def _ends_with_one_space(line: str) -> bool:
    return line[-1:] == " " and line[-2:-1] not in _SENTENCE_ENDS
