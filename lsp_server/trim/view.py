"""What a trim filter sees beside the text: where it would go, whether it was cut, how many lines are wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wire_protocol.frames import Context, Lines


@dataclass(frozen=True, slots=True)
class View:
    """`complete` is False if the text was cut by a limit or by time; `fresh` if it was generated for this cursor, and
    is not what is left of a text that the person types through."""

    context: Context
    complete: bool
    lines: Lines
    fresh: bool = False


Filter = Callable[[str, View], str]
"""Gives what is left of the text; "" if nothing is."""
