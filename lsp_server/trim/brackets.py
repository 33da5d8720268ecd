"""Brackets and quotes that stand behind the cursor already are not closed a second time."""

from __future__ import annotations

from lsp_server.code_lines import (
    CLOSING,
    PAIRS,
    QUOTES,
    current_line,
    indentation,
    is_closing,
    lines_below,
    open_quote,
    rest_of_line,
)
from lsp_server.trim.view import View


def without_present_closers(text: str, view: View) -> str:
    """`text` up to where it closes what is closed behind the cursor already; what follows would come before that."""
    rest = rest_of_line(view.context).strip()
    below = next(lines_below(view.context), "")
    opened: list[str] = []
    quote = open_quote(current_line(view.context))
    inherited = bool(quote)
    closed_in_string = inherited and _is_closed_in_string(current_line(view.context).rpartition(quote)[2], rest)
    at = 0
    while at < len(text):
        character = text[at]
        if closed_in_string and inherited and character in PAIRS:
            opened.append(PAIRS[character])
        elif closed_in_string and inherited and character in CLOSING:
            if opened and opened[-1] == character:
                opened.pop()
            elif rest.startswith(character):
                return text[:at]
        elif quote:
            if character == "\\":
                at += 1
            elif character == quote:
                if inherited and rest.startswith(quote):
                    return text[:at]
                quote, inherited = "", False
            elif character == "\n":
                quote, inherited = "", False  # an apostrophe in a comment, or a string that is not closed
        elif character in QUOTES:
            quote = character
        elif character in PAIRS:
            opened.append(PAIRS[character])
        elif character in CLOSING:
            if opened and opened[-1] == character:
                opened.pop()
            elif rest.startswith(character) or (not rest and _closes_below(text, at, below)):
                return text[:at]
        at += 1
    return text


def _is_closed_in_string(string: str, rest: str) -> bool:
    """Whether `rest` begins with the closing bracket of one that `string` opens, as editors put it there.

    Brackets in a string are text; this one is behind the cursor all the same.
    """
    opener = next((opener for opener, closer in PAIRS.items() if rest.startswith(closer)), "")
    return bool(opener) and string.count(opener) > string.count(rest[0])


def _closes_below(text: str, at: int, below: str) -> bool:
    """Whether the closing bracket that starts a line at `at` is the one that the next line below starts with."""
    start = text.rfind("\n", 0, at) + 1
    own = text[start:at]
    if not is_closing(text[at:].partition("\n")[0]):  # `} else {` closes, but leaves as much open
        return False
    return start > 0 and not own.strip() and below.strip()[:1] == text[at] and own == indentation(below)
