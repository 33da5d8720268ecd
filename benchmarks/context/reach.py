"""What snippets hold of what the person types next, without asking a model; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from benchmarks.quality.cursors import Cursor
from lsp_server.workspace.words import words
from wire_protocol.frames import Context


@dataclass(frozen=True)
class Reach:
    """At one cursor: names of the truth, those that the document's own window does not have (`new`), those of them that
    the snippets have (`found`), and how like the cursor's true line the likest line of the snippets is (0 to 1)."""

    names: int
    new: int
    found: int
    best_line: float

    @property
    def covered(self) -> int:
        """Names of the truth that the model sees somewhere."""
        return self.names - self.new + self.found


def reach(cursor: Cursor, context: Context) -> Reach:
    """Judge a context's snippets."""
    return reach_of(cursor, context, (snippet.text for snippet in context.snippets))


def reach_of(cursor: Cursor, context: Context, texts: Iterable[str]) -> Reach:
    """Judge other texts beside the window of `context`: whole files show what could be found at all."""
    own = words("\n".join((context.before, context.typed, context.tail, context.after)))
    names = words(cursor.truth)
    text = "\n".join(texts)
    line = (cursor.typed + cursor.truth.partition("\n")[0]).strip()
    lines = {each.strip() for each in text.split("\n")}
    likest = max((Levenshtein.normalized_similarity(line, each) for each in lines), default=0.0)
    return Reach(len(names), len(names - own), len((names - own) & words(text)), likest if text else 0.0)
