"""The lines around a context's cursor, as multi-line and trimming policies look at them; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wire_protocol.frames import Context

CLOSING: Final = frozenset(")]}")
PAIRS: Final = {"(": ")", "[": "]", "{": "}"}
QUOTES: Final = frozenset("\"'`")


def current_line(context: Context) -> str:
    """The cursor's line up to the cursor."""
    start = context.typed.rfind("\n")
    if start >= 0:
        return context.typed[start + 1 :]
    return context.before[context.before.rfind("\n") + 1 :] + context.typed


def rest_of_line(context: Context) -> str:
    """The cursor's line from the cursor on, without its ending; perhaps all of it is the editor's (`tail`)."""
    line, newline, _ = context.tail.partition("\n")
    return line if newline else line + context.after.partition("\n")[0]


def lines_below(context: Context) -> Iterator[str]:
    """The lines below the cursor's that are not blank, without their endings."""
    lines = (context.tail + context.after).split("\n")[1:]
    return (line for line in lines if line.strip())


def indentation(line: str) -> str:
    """The white space a line starts with."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def is_closing(line: str) -> bool:
    """Whether a line only closes what an earlier one opened."""
    return bool(line.strip()) and line.strip()[0] in CLOSING and not set(line.strip()) - CLOSING - set(",;")


def open_quote(line: str) -> str:
    """The quote of the string that the end of `line` is in; "" outside of strings."""
    quote, at = "", 0
    while at < len(line):
        if quote and line[at] == "\\":
            at += 1
        elif quote == line[at]:
            quote = ""
        elif not quote and line[at] in QUOTES:
            quote = line[at]
        at += 1
    return quote


def bracket_balance(line: str) -> int:
    """How many brackets a line opens more than it closes, outside of strings as far as one line shows."""
    balance, quote, at = 0, "", 0
    while at < len(line):
        character = line[at]
        if quote:
            if character == "\\":
                at += 1
            elif character == quote:
                quote = ""
        elif character in QUOTES:
            quote = character
        elif character in PAIRS:
            balance += 1
        elif character in CLOSING:
            balance -= 1
        at += 1
    return balance
