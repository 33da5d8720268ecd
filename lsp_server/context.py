"""The anchored context of a cursor: what of the document is sent, in parts that typing hardly changes; pure.

`before` ends at the anchor and `after` starts where the burst ends, so while a person types neither changes, and
their sizes never depend on how much was typed. The window's start moves only in steps of 32 lines, so that the
first token of the prompt, and with it the worker's KV cache, stays the same from burst to burst.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote, urlsplit

from lsp_server.anchor import Place
from lsp_server.documents import Snapshot
from lsp_server.workspace.parts import NOTHING, Surroundings
from wire_protocol.frames import Context
from wire_protocol.text import clean

BEFORE_CHARACTERS: Final = 6_000
"""Of text before the anchor: about 1,700 tokens of code, what a small model reads in time."""
AFTER_CHARACTERS: Final = 2_000
"""Of text after the cursor: enough to know what follows."""

WINDOW_LINES: Final = 32
"""The window starts at a line whose number is a multiple of this."""
WINDOW_CHARACTERS: Final = 2_048
"""Where lines are too long for steps of lines, the window starts at a multiple of this offset."""

MAX_PATH: Final = 4_096
MAX_LANGUAGE: Final = 256
"""Bounds of the wire protocol's fields, in code points."""


def build_context(snapshot: Snapshot, place: Place, path: str, surroundings: Surroundings = NOTHING) -> Context:
    """The context of `place` in `snapshot`; `path` is relative to the workspace.

    A notebook's other cells go on where the document's own text ends within the budget.
    """
    start = window_start(snapshot, place.start)
    before = clean(snapshot.between(start, place.start))
    after = clean(_whole_lines(snapshot.between(place.end, place.end + AFTER_CHARACTERS)))
    if surroundings.above and start == 0:
        before = _from_line(surroundings.above, BEFORE_CHARACTERS - place.start) + before
    if surroundings.below and len(after) < AFTER_CHARACTERS:
        after = _whole_lines((after.rstrip("\n") + surroundings.below)[:AFTER_CHARACTERS])
    return Context(
        before=before,
        typed=clean(snapshot.between(place.start, place.cursor)),
        tail=clean(snapshot.between(place.cursor, place.end)),
        after=after,
        snippets=surroundings.snippets,
        path=clean(path)[:MAX_PATH],
        language=clean(snapshot.language_id)[:MAX_LANGUAGE],
    )


def window_start(snapshot: Snapshot, anchor: int) -> int:
    """Where `before` starts: the earliest line that is a multiple of WINDOW_LINES and within the budget.

    If that leaves less than half the budget although there is more text, lines are long here: steps of characters.
    """
    earliest = anchor - BEFORE_CHARACTERS
    if earliest <= 0:
        return 0
    line = snapshot.text.position_at(anchor).line // WINDOW_LINES * WINDOW_LINES
    start = snapshot.text.line_offset(line)
    while line >= WINDOW_LINES and (above := snapshot.text.line_offset(line - WINDOW_LINES)) >= earliest:
        line, start = line - WINDOW_LINES, above
    if earliest <= start <= anchor - BEFORE_CHARACTERS // 2:
        return start
    return -(-earliest // WINDOW_CHARACTERS) * WINDOW_CHARACTERS


def _from_line(above: str, room: int) -> str:
    """`above` from a line on whose number is a multiple of WINDOW_LINES, in at most `room` characters."""
    lines = above.split("\n")
    while lines and sum(map(len, lines)) + len(lines) - 1 > room:
        del lines[:WINDOW_LINES]
    return "\n".join(lines)


def _whole_lines(after: str) -> str:
    """`after` without its last line where that is cut, unless most of it would go."""
    if len(after) < AFTER_CHARACTERS:
        return after
    end = after.rfind("\n") + 1
    return after[:end] if end >= AFTER_CHARACTERS // 2 else after


def with_selected(context: Context, replaced: str, beyond: int, text: str) -> Context | None:
    """The context as if the item selected in the editor's menu were applied.

    `replaced` is what its range covers before the cursor, `beyond` how many characters it covers after it, `text`
    what it puts there. None if the range begins before the anchor or ends beyond the context.
    """
    if not context.typed.endswith(replaced):
        return None
    from_tail = min(beyond, len(context.tail))
    from_after = beyond - from_tail
    if from_after > len(context.after):
        return None
    return Context(
        before=context.before,
        typed=context.typed[: len(context.typed) - len(replaced)] + clean(text),
        tail=context.tail[from_tail:],
        after=context.after[from_after:],
        snippets=context.snippets,
        path=context.path,
        language=context.language,
    )


def workspace_path(uri: str, roots: Sequence[str]) -> str:
    """The path of a document relative to the workspace folder (of URIs `roots`) it is in, with forward slashes.

    Only the file's name where it is in none: the rest of such a path is nobody's business.
    """
    path = uri_path(uri)
    inside = [root for root in map(uri_path, roots) if root and path.startswith(root.rstrip("/") + "/")]
    if inside:
        return path[len(max(inside, key=len).rstrip("/")) + 1 :]
    return path.rpartition("/")[2]


def uri_path(uri: str) -> str:
    """The path part of a URI, percent-decoded; on Windows with the drive's letter in lower case, as editors differ."""
    try:
        path = unquote(urlsplit(uri).path)
    except ValueError:  # for instance an unbalanced bracket where a host would be
        return ""
    if os.name == "nt" or path[2:3] == ":":
        path = path[:2].lower() + path[2:]
    return path
