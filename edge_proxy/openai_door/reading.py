"""One answer as it comes from the dispatcher, for a handler that waits for it."""

from __future__ import annotations

import asyncio

from wire_protocol.frames import Done


class Reading:
    """A `dispatch.Sink` for a session of one request."""

    def __init__(self) -> None:
        self.text_so_far = ""
        self.tokens = 0
        self.end: Done | None = None
        self._given = 0
        self._wake = asyncio.Event()

    def text(self, id: int, offset: int, text: str, tokens: int, *, now: bool) -> None:
        """More of the answer."""
        self.text_so_far += text
        self.tokens += tokens
        self._wake.set()

    def done(self, done: Done) -> None:
        """Its end."""
        self.end = done
        self._wake.set()

    async def more(self) -> str:
        """What came since the last call; waits until there is something, or "" at the end."""
        while self._given == len(self.text_so_far) and self.end is None:
            self._wake.clear()
            await self._wake.wait()
        new = self.text_so_far[self._given :]
        self._given = len(self.text_so_far)
        return new

    async def whole(self) -> Done:
        """Its end, when it has come."""
        while self.end is None:
            await self.more()
        return self.end
