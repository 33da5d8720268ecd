"""What every client is to the player: a document, edits, a request per key that can be cancelled."""

from __future__ import annotations

import asyncio
from typing import Protocol

from benchmarks.client.editor_model import Edit
from benchmarks.client.ghost import Answer


class Client(Protocol):
    """One client, with one document open at a time. The texts are ASCII: offsets are the same in every encoding."""

    name: str

    async def start(self) -> None:
        """Start the process. Raises BenchError."""
        ...

    def open(self, path: str, language: str, text: str) -> None:
        """Open a document; the one before is closed."""
        ...

    def changed(self, edit: Edit, before: str) -> None:
        """Report `edit` of the text `before`."""
        ...

    def ask(self, text: str, cursor: int) -> asyncio.Task[Answer | None]:
        """Ask for a suggestion; cancelling the task cancels the request. None: nothing new."""
        ...

    def shown(self, token: object) -> None:
        """An answer is on screen."""
        ...

    def accepted(self, token: object) -> None:
        """It was accepted."""
        ...

    @property
    def pid(self) -> int:
        """The client's process."""
        ...

    async def stop(self) -> None:
        """End it."""
        ...
