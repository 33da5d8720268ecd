"""Positions as editors count them: conversion between code points and utf-8, utf-16 or utf-32 columns.

LSP counts a column in the code units of an encoding agreed on at start-up; Python counts code points. For
text that is all ASCII the two are the same number, and `str.isascii()` is answered from a flag in the string
object, so the usual line costs nothing to convert.

A column in the middle of a surrogate pair or of a multi-byte sequence means the start of that code point.
A column past the end means the end (LSP 3.17, "Position"). Lone surrogates, which JSON can carry, count as
one unit in utf-16 and three in utf-8.

>>> column_at("x=😋;", 5, PositionEncoding.UTF16), units_before("x=😋;", 3, PositionEncoding.UTF16)
(4, 4)
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
"""Code points that take two units in utf-16."""

_UTF8_CONTINUATION_MASK = 0b1100_0000
_UTF8_CONTINUATION = 0b1000_0000
"""A byte whose two high bits are 10 continues a code point (RFC 3629, section 3)."""


class PositionEncoding(StrEnum):
    """The unit of `Position.character`; the values are LSP's names (`general.positionEncodings`)."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"


class Position(NamedTuple):
    """A place between two characters, as LSP gives it: both numbers from 0, `character` in the agreed units."""

    line: int
    character: int


class Range(NamedTuple):
    """What lies between two positions; `end` is exclusive, and equal to `start` for a plain insertion."""

    start: Position
    end: Position


def width(text: str, encoding: PositionEncoding) -> int:
    """How many units of `encoding` the text takes."""
    if encoding is PositionEncoding.UTF32 or text.isascii():
        return len(text)
    if encoding is PositionEncoding.UTF8:
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def units_before(text: str, column: int, encoding: PositionEncoding) -> int:
    """Units of `encoding` in the first `column` code points of the text."""
    if encoding is PositionEncoding.UTF32 or text.isascii():
        return min(column, len(text))
    return width(text[:column], encoding)


def column_at(text: str, units: int, encoding: PositionEncoding) -> int:
    """The code point column that lies `units` units of `encoding` into the text: snapped back to the start
    of a code point, and at most the text's length. `units` is not negative."""
    if encoding is PositionEncoding.UTF32 or text.isascii():
        return min(units, len(text))
    if encoding is PositionEncoding.UTF8:
        return _column_from_utf8(text, units)
    return _column_from_utf16(text, units)


def _column_from_utf8(text: str, units: int) -> int:
    data = text.encode("utf-8", "surrogatepass")
    if units >= len(data):
        return len(text)
    while units and data[units] & _UTF8_CONTINUATION_MASK == _UTF8_CONTINUATION:
        units -= 1
    return len(data[:units].decode("utf-8", "surrogatepass"))


def _column_from_utf16(text: str, units: int) -> int:
    column = units
    for match in _ASTRAL.finditer(text):
        # Here `column` already discounts every astral character before this one; one that ends between the
        # halves of this pair becomes its start.
        if match.start() >= column:
            break
        column -= 1
    return min(column, len(text))


def well_formed(text: str) -> str:
    """The text made encodable: halves of a surrogate pair joined, lone halves replaced by U+FFFD.

    An editor that counts in utf-16 may send a pair in two edits, so both can occur in a document.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
