"""The documents that were visited last, cut into blocks: what snippets come from, bounded; used from one thread."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lsp_server.workspace.similar import Source

MAX_RECENT: Final = 24
"""Files kept for snippets, open ones among them; the least recently visited goes first."""
MAX_RECENT_CHARACTERS: Final = 2_000_000
"""Of all of them together: about 12 MB with their words."""


@dataclass(slots=True)
class Visited:
    """A document; of one that is not `open` any more the text on disk is the truth."""

    source: Source
    language: str
    open: bool = True

    @property
    def text(self) -> str:
        """As it was when it was visited."""
        return "".join(block.text for block in self.source.blocks.blocks)


class Recent:
    """Documents by their URI."""

    def __init__(self) -> None:
        self._visited: OrderedDict[str, Visited] = OrderedDict()

    def get(self, uri: str) -> Visited | None:
        """A document, if it is among them."""
        return self._visited.get(uri)

    def at(self, root: Path, path: str) -> Visited | None:
        """The document in this place."""
        for each in self._visited.values():
            if (each.source.root, each.source.path) == (root, path):
                return each
        return None

    def latest_first(self) -> list[Visited]:
        """All of them."""
        return list(reversed(self._visited.values()))

    def visit(self, source: Source, language: str) -> None:
        """A document was opened or edited: the oldest go, if there are too many."""
        self._visited.pop(source.uri, None)
        self._visited[source.uri] = Visited(source, language)
        while len(self._visited) > MAX_RECENT or (
            len(self._visited) > 1
            and sum(each.source.blocks.characters for each in self._visited.values()) > MAX_RECENT_CHARACTERS
        ):
            self._visited.popitem(last=False)

    def forget(self, uri: str) -> None:
        """A document that must not be used."""
        self._visited.pop(uri, None)
