"""What of a generated text is shown: the filters, in their order; pure.

Each filter is one function in its own file, `(text, view) -> text`, and "" means that nothing is left to show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from lsp_server.techniques import Techniques
from lsp_server.trim.after_start import without_start_of_after
from lsp_server.trim.bad_starts import without_bad_start
from lsp_server.trim.brackets import without_present_closers
from lsp_server.trim.confidence import is_confident
from lsp_server.trim.duplicates import without_lines_below
from lsp_server.trim.empty_comments import without_empty_comments
from lsp_server.trim.indent import with_the_files_indentation
from lsp_server.trim.line_ends import with_plain_line_ends
from lsp_server.trim.prompt_echo import without_prompt_echo
from lsp_server.trim.repeated_mask import without_repeated_mask
from lsp_server.trim.repetition import without_repetition
from lsp_server.trim.rest_of_line import without_rest_of_line
from lsp_server.trim.rewrites import without_rewritten_lines
from lsp_server.trim.single_line import only_one_line
from lsp_server.trim.syntax_errors import without_syntax_errors
from lsp_server.trim.too_short import without_too_short
from lsp_server.trim.unfinished import without_unfinished_line
from lsp_server.trim.view import Filter, View
from lsp_server.trim.white_space import without_trailing_space
from wire_protocol.frames import Context, Lines

FILTERS: Final[tuple[Filter, ...]] = (
    with_plain_line_ends,
    without_prompt_echo,
    without_repeated_mask,
    without_bad_start,
    only_one_line,
    without_unfinished_line,
    without_start_of_after,
    without_lines_below,
    without_present_closers,
    without_rest_of_line,
    without_repetition,
    without_rewritten_lines,
    with_the_files_indentation,
    without_empty_comments,
    without_syntax_errors,
    without_trailing_space,
    without_too_short,
)
"""First what a model adds around its code, then what the file has already, then what is wrong in itself: each filter
sees only what those before it left. The one that parses comes late, when little is left to parse for nothing."""

GROUPS: Final[Mapping[str, frozenset[Filter]]] = {
    "trim_repeated_text": frozenset(
        (
            without_prompt_echo,
            without_start_of_after,
            without_lines_below,
            without_rest_of_line,
            without_rewritten_lines,
        )
    ),
    "trim_brackets": frozenset((without_present_closers,)),
    "trim_circles": frozenset((without_repetition,)),
    "trim_indentation": frozenset((with_the_files_indentation,)),
    "trim_faults": frozenset(
        (
            without_bad_start,
            without_unfinished_line,
            without_empty_comments,
            without_syntax_errors,
            without_trailing_space,
            without_too_short,
        )
    ),
}
"""The filters that a technique of this name switches on. The others are always on: they keep promises, not taste."""


def filters_of(techniques: Techniques) -> tuple[Filter, ...]:
    """Those that are on, in their order."""
    off = frozenset[Filter]().union(*(group for name, group in GROUPS.items() if not getattr(techniques, name)))
    return tuple(each for each in FILTERS if each not in off)


MAX_ROUNDS: Final = 4
"""Of all filters, until none changes anything: one for most texts, two for nearly all others."""


def trim(
    context: Context,
    text: str,
    complete: bool,
    lines: Lines = "multi",
    *,
    fresh: bool = False,
    filters: Sequence[Filter] = FILTERS,
) -> str | None:
    """What to insert at the cursor of `context`; None if nothing of `text` is worth showing.

    `complete` is False if the text was cut by a limit or by time, so that its last line may be unfinished. `fresh` is
    True if `text` was generated for this very cursor: what is left of a text typed through may be one character.
    """
    view = View(context, complete, lines, fresh)
    for _ in range(MAX_ROUNDS):
        before = text
        for apply in filters:
            text = apply(text, view)
            if not text.strip():
                return None
        if text == before:
            break
        # What a later filter left may be for an earlier one; the end of what was cut off by now is whole.
        view = replace(view, complete=True)
    return text


__all__ = ["FILTERS", "GROUPS", "Filter", "View", "filters_of", "is_confident", "trim"]
