"""What the completer is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from lsp_server.documents import Snapshot
from lsp_server.gate import Editing
from lsp_server.privacy.files import Withheld
from lsp_server.settings import Settings

INLINE: Final = "inline"
"""The channel of ghost text: what was answered there is on screen."""

Answerer = Literal["edge", "local", "cache"]


@dataclass(frozen=True, slots=True)
class Selected:
    """The item selected in the editor's menu: complete as if it were applied."""

    replaced: str
    """What its range covers before the cursor."""
    beyond: int
    """Characters its range covers after the cursor."""
    text: str
    """What it puts in place of its range."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A completion that the editor wants."""

    snapshot: Snapshot
    path: str
    """Relative to the workspace."""
    problem: str | None = None
    """Why the document's text cannot be used."""
    withheld: Withheld | None = None
    """Why nothing of the document may leave the machine."""
    invoked: bool = False
    """Whether a person asked for it explicitly."""
    several_lines: bool | None = None
    """Whether several lines are wanted where one is usual; None: if invoked."""
    changed_at: float | None = None
    """When the document changed last, in clock seconds."""
    selected: Selected | None = None
    channel: str = INLINE
    """Requests overtake one another only within a channel of a document."""
    editing: Editing | None = None
    """What the cursor is in, where the editor's plugin says so; LSP has no field for it."""
    settings: Settings | None = None
    """Those of the document's folder; None: the completer's."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """Text to insert at the cursor (after the selected item, if one was given)."""

    id: int
    text: str
    source: Answerer
    latency_ms: float
    """From the request to this answer."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to suggest, and why."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Superseded:
    """A newer request of the same document took this one's place."""


Outcome = Suggested | Nothing | Superseded
