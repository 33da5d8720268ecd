"""A model that goes round in circles is stopped after the first round."""

from __future__ import annotations

import re
from typing import Final

from lsp_server.trim.view import View

MAX_UNIT_LINES: Final = 3
"""Blocks of up to so many lines are looked at."""
ROUNDS: Final = 3
"""So many equal blocks in a row are a circle: two are common in code."""

LONG_ROW: Final = 48
"""Characters of equal pieces in a row after which a growing text is not waited for."""
LOOKED_AT: Final = 320
"""Characters at the end of a growing text: a row of the longest phrase, or of short lines, with room."""

_WITHIN_LINE: Final = re.compile(r"(.{2,7}?)\1{5,}|(.{8,60}?)\2{2,}")
"""The same few characters six times in a row, or the same phrase three times."""


_ONE_CHARACTER: Final = re.compile(r"([!\"$%&'(),:;<>?@\[\\\]^`{|}\w](?<!_))\1{11,}")
"""The same character twelve times in a row, but for those that rules, boxes and bars are drawn with."""


def without_repetition(text: str, view: View) -> str:
    """`text` up to where it begins to go round in circles."""
    return first_round(text)


def first_round(text: str) -> str:
    """`text` up to the end of the first of several equal blocks of lines, or equal pieces of a line.

    A run of one character goes altogether: the first of it is as wrong as the others.
    """
    if found := _ONE_CHARACTER.search(text):
        return text[: found.start()]
    for found in _WITHIN_LINE.finditer(text):
        unit = found.group(1) or found.group(2)
        # A pattern in code comes to its end; a model that goes round goes on until something stops it.
        is_word = bool(found.group(1)) and any(character.isalpha() for character in unit)  # and not rows of zeros
        goes_on = is_word or unit.startswith(text[found.end() :].partition("\n")[0])
        if len(set(unit)) > 1 and goes_on:  # a rule such as ------ is no circle
            return text[: found.start() + len(unit)]
    return _lines_once(text)


def goes_round(text: str) -> bool:
    """Whether the end of `text`, which is still growing, goes round in circles, so that the rest of it is not needed.

    Surer than `first_round`: a row of equal pieces may come to its end yet, a long one seldom does.
    """
    tail = text[-LOOKED_AT:]
    if _ONE_CHARACTER.search(tail):
        return True
    for found in _WITHIN_LINE.finditer(tail):
        unit = found.group(1) or found.group(2)
        is_long = found.end() - found.start() >= LONG_ROW
        if is_long and len(set(unit)) > 1 and unit.startswith(tail[found.end() :]):
            return True
    lines = tail[: tail.rfind("\n") + 1].rstrip("\n")
    return len(_lines_once(lines)) < len(lines)


def _lines_once(text: str) -> str:
    pieces = text.split("\n")
    for start in range(len(pieces)):
        for size in range(1, MAX_UNIT_LINES + 1):
            unit = pieces[start : start + size]
            if len(unit) < size or not any(line.strip() for line in unit):
                continue
            rounds = 1
            while pieces[start + rounds * size : start + (rounds + 1) * size] == unit:
                rounds += 1
            if rounds >= ROUNDS:
                return "\n".join(pieces[: start + size])
    return text
