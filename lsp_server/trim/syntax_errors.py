"""A suggestion does not bring a syntax error of its own."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from lsp_server.syntax import MAX_PARSED, errors, parse, whole_lines_from
from lsp_server.trim.view import View

LOOK_BACK: Final = 6_000
LOOK_AHEAD: Final = 2_000
"""Characters around the insertion that are parsed: what a context holds."""
PREPROCESSED: Final = frozenset(("c", "cpp"))
"""Languages whose macros read as errors until they are replaced."""
REMEMBERED: Final = 16
"""Texts whose errors are kept: while a suggestion is typed through, the text with it in does not change."""


def without_syntax_errors(text: str, view: View) -> str:
    """`text` up to the line with an error that lies strictly inside of it; "" if that is its first.

    Errors that touch its ends come from the text around, or from what is still to be typed; where the text before
    has errors of its own, nothing can be said.
    """
    context = view.context
    if context.language in PREPROCESSED:
        return text
    # Not a window of both: its start would move, and with it all positions, while the person types.
    before = whole_lines_from(context.before, LOOK_BACK) + context.typed
    after = (context.tail + context.after)[:LOOK_AHEAD]
    body = text.rstrip()
    if len(before) + len(body) + len(after) > MAX_PARSED:
        return text
    found = _errors(context.language, before + body + after)
    start = len(before.encode("utf-8", "replace"))
    end = start + len(body.encode("utf-8", "replace"))
    if any(first < start for first, _ in found):
        return text
    inside = [first for first, last in found if start < first and last < end]
    if not inside:
        return text
    good = body.encode("utf-8", "replace")[: inside[0] - start].decode("utf-8", "replace")
    return good[: good.rfind("\n") + 1].rstrip()


@lru_cache(REMEMBERED)
def _errors(language: str, text: str) -> tuple[tuple[int, int], ...]:
    """Start and end, in bytes, of the errors in `text`."""
    tree = parse(language, text)
    return () if tree is None else tuple((node.start_byte, node.end_byte) for node in errors(tree.root_node))
