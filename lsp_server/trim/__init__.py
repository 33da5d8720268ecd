"""What of a generated text is shown: the filters, in their order; pure.

Each filter is one function in its own file, `(text, view) -> text`, and "" means that nothing is left to show.
"""

from __future__ import annotations

from typing import Final

from lsp_server.trim.brackets import without_present_closers
from lsp_server.trim.duplicates import without_lines_below
from lsp_server.trim.line_ends import with_plain_line_ends
from lsp_server.trim.repetition import without_repetition
from lsp_server.trim.rest_of_line import without_rest_of_line
from lsp_server.trim.single_line import only_one_line
from lsp_server.trim.unfinished import without_unfinished_line
from lsp_server.trim.view import Filter, View
from lsp_server.trim.white_space import without_trailing_space
from wire_protocol.frames import Context, Lines

FILTERS: Final[tuple[Filter, ...]] = (
    with_plain_line_ends,
    only_one_line,
    without_unfinished_line,
    without_lines_below,
    without_present_closers,
    without_rest_of_line,
    without_repetition,
    without_trailing_space,
)


def trim(context: Context, text: str, complete: bool, lines: Lines = "multi") -> str | None:
    """What to insert at the cursor of `context`; None if nothing of `text` is worth showing.

    `complete` is False if the text was cut by a limit or by time, so that its last line may be unfinished.
    """
    view = View(context, complete, lines)
    for apply in FILTERS:
        text = apply(text, view)
        if not text.strip():
            return None
    return text


__all__ = ["FILTERS", "Filter", "View", "trim"]
