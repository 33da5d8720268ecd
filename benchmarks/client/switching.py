"""A backend whose oracle is another for each document that is typed into one client."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from benchmarks.client.backend import Asked, StandInOracle
from benchmarks.client.ledger import Ledger


class Switching:
    """Answers with `present`; its ledger is that one's."""

    def __init__(self) -> None:
        self.present: StandInOracle | None = None

    @property
    def ledger(self) -> Ledger:
        """Of the document that is typed now."""
        return Ledger() if self.present is None else self.present.ledger

    async def generate(self, asked: Asked) -> AsyncGenerator[tuple[str, int], None]:
        """As the present oracle answers; nothing before there is one."""
        if self.present is not None:
            async for piece in self.present.generate(asked):
                yield piece
