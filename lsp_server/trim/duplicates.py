"""Lines that stand below the cursor already are not suggested again."""

from __future__ import annotations

from lsp_server.code_lines import current_line, lines_below
from lsp_server.multiline import MIN_LANDMARK
from lsp_server.trim.view import View


def without_lines_below(text: str, view: View) -> str:
    """`text` up to the line that repeats the next line below the cursor.

    A line too short to be recognised by itself (`}`, `pass`) must repeat with all that follows it in `text`.
    """
    below = [line.strip() for line in lines_below(view.context)]
    if not below:
        return text
    pieces = text.split("\n")
    visible = [current_line(view.context) + pieces[0], *pieces[1:]]
    for number, line in enumerate(visible):
        if not pieces[number].strip() or line.strip() != below[0]:
            continue
        following = [later.strip() for later in visible[number:] if later.strip()]
        if len(below[0]) >= MIN_LANDMARK or (following == below[: len(following)] and number > 0):
            return "\n".join(pieces[:number])
    return text
