"""What snippets hold of what the person types next, without asking a model; pure."""

from __future__ import annotations

from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from benchmarks.quality.cursors import Cursor
from lsp_server.workspace.words import words
from wire_protocol.frames import Context


@dataclass(frozen=True)
class Reach:
    """At one cursor: names of the truth that the document's own window does not have, those of them that the snippets
    have, and how like the cursor's true line the likest line of the snippets is (0 to 1)."""

    new_names: int
    found_names: int
    best_line: float


def reach(cursor: Cursor, context: Context) -> Reach:
    """Judge a context's snippets."""
    own = words("\n".join((context.before, context.typed, context.tail, context.after)))
    new = words(cursor.truth) - own
    text = "\n".join(snippet.text for snippet in context.snippets)
    line = (cursor.typed + cursor.truth.partition("\n")[0]).strip()
    likest = max((Levenshtein.normalized_similarity(line, each.strip()) for each in text.split("\n")), default=0.0)
    return Reach(len(new), len(new & words(text)), likest if text else 0.0)
