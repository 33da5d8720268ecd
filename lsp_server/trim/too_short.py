"""A suggestion of one character is not worth looking at, unless it is what is left of a longer one."""

from __future__ import annotations

from typing import Final

from lsp_server.trim.view import View

MIN_CHARACTERS: Final = 2
"""Visible ones: reading one and pressing Tab takes longer than typing it."""


def without_too_short(text: str, view: View) -> str:
    """ "" if a text that was generated for this very cursor has less than `MIN_CHARACTERS`."""
    return text if not view.fresh or len(text.strip()) >= MIN_CHARACTERS else ""
