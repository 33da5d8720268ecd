"""What is put beside a document, and why: the words that the rooms of this package speak with."""

from __future__ import annotations

from dataclasses import dataclass

from lsp_server.workspace.budgets import Kind
from wire_protocol.frames import Snippet


@dataclass(frozen=True, slots=True)
class Part:
    """One snippet: its kind, where it is from (lines from 1), and a sentence that says why it was chosen."""

    kind: Kind
    snippet: Snippet
    first_line: int
    last_line: int
    score: float
    why: str

    @property
    def key(self) -> tuple[str, str, int]:
        """Stays the same from request to request, whatever the score; the order in the prompt."""
        return (_ORDER[self.kind], self.snippet.path, self.first_line)


_ORDER = {"declarations": "0", "similar": "1", "edits": "2"}
"""What changes least comes first, so that the KV cache of it survives when a later one changes."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What goes with a context. `above` and `below` are the other cells of a notebook."""

    parts: tuple[Part, ...] = ()
    above: str = ""
    below: str = ""

    @property
    def snippets(self) -> list[Snippet]:
        """In the order of the prompt."""
        return [part.snippet for part in self.parts]


NOTHING = Surroundings()
