"""What a trim filter sees beside the text: where it would go, whether it was cut, how many lines are wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wire_protocol.frames import Context, Lines


@dataclass(frozen=True, slots=True)
class View:
    """`complete` is False if the text was cut by a limit or by time."""

    context: Context
    complete: bool
    lines: Lines


Filter = Callable[[str, View], str]
"""Gives what is left of the text; "" if nothing is."""
