"""The context of a cursor as the language server sends it: its own windows, its own anchor; pure."""

from __future__ import annotations

from benchmarks.quality.cursors import Cursor
from lsp_server.anchor import MAX_TYPED, Move, Place
from lsp_server.context import build_context
from lsp_server.documents import Documents
from wire_protocol.frames import Context

URI = "file:///held-out"


def of_cursor(cursor: Cursor) -> Context:
    """What is sent when a person stands at the cursor: the burst of typing began where its line begins.

    A line longer than a burst may be has its anchor in the line, as `lsp_server.anchor` has it.
    """
    document = Documents(clock=lambda: 0.0).open(
        URI, cursor.record.language, 1, cursor.before + cursor.typed + cursor.after
    )
    start = max(cursor.start, cursor.at - MAX_TYPED)
    snapshot = document.snapshot(document.text.position_at(cursor.at))
    return build_context(snapshot, Place(start, cursor.at, cursor.at, Move.TYPED), cursor.record.path)


def typed_on(context: Context, text: str) -> Context:
    """The context after a person typed or accepted `text`: the anchor stays until the burst is too long."""
    before, typed = context.before, context.typed + text
    if len(typed) > MAX_TYPED and (line := typed.rfind("\n") + 1):
        before, typed = before + typed[:line], typed[line:]
    return Context(before=before, typed=typed, after=context.after, path=context.path, language=context.language)
