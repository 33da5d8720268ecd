"""The edge as a source: one session with one of the configured proxies, in their order."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Final

from lsp_server.sources.connection import ConnectedSource
from lsp_server.sources.edge_dialect import EdgeDialect
from lsp_server.sources.handshake import DialError, Opened, open_url
from wire_protocol.codec import decode_to_client

OPEN_TIMEOUT_S: Final = 5.0
"""For TCP, TLS, the WebSocket handshake and `welcome` together; half a second is usual across an ocean."""


class EdgeDialer:
    """Tries the addresses in order, starting with the one that answered last."""

    def __init__(self, urls: Sequence[str], token: str) -> None:
        self._urls: Final = tuple(urls)
        self._token = token
        self._first = 0

    async def dial(self) -> Opened:
        """A session with the first proxy that welcomes one. Raises DialError if none does."""
        errors: list[DialError] = []
        for step in range(len(self._urls)):
            index = (self._first + step) % len(self._urls)
            try:
                opened = await open_url(self._urls[index], self._token, decode_to_client, OPEN_TIMEOUT_S)
            except DialError as error:
                errors.append(error)
                continue
            self._first = index
            return opened
        pauses = [error.pause_s for error in errors]
        # One that may be back soon sets the pace; only if all want a long pause, the shortest of them is kept.
        pause = min((pause for pause in pauses if pause is not None), default=None) if None not in pauses else None
        raise DialError(" ".join(str(error) for error in errors), pause)

    def moved(self) -> None:
        """The proxy in use is about to leave: begin with the next one."""
        self._first = (self._first + 1) % len(self._urls)

    async def close(self) -> None:
        """Nothing to release."""


class EdgeSource(ConnectedSource):
    """Completions from an edge proxy over `foretype.v1`. `urls` must not be empty."""

    def __init__(
        self,
        urls: Sequence[str],
        token: str = "",
        *,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[], float] = random.random,
    ) -> None:
        if not urls:
            raise ValueError("an edge source needs at least one address")
        super().__init__("edge", EdgeDialer(urls, token), EdgeDialect, clock=clock, uniform=uniform)
