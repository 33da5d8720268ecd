"""Names that strangers chose (files, keys of settings) in a line for people, which they cannot break or hide; pure."""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` with control characters, line ends and invisible signs (Unicode's Other and Separator) written as escapes.

    So no name forges a second line of a log, moves a terminal's cursor, or turns the direction of what follows it.
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in text)
