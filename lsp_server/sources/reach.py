"""Opens a session with an edge, over a WebSocket if the network lets one through, else over HTTP; remembers which."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from lsp_server.sources.handshake import DialError, Opened, open_url
from lsp_server.sources.outward import Outward
from wire_protocol.codec import decode_to_client

log = logging.getLogger(__name__)

OPEN_TIMEOUT_S: Final = 5.0
"""For TCP, TLS, the handshake and `welcome` together; half a second is usual across an ocean."""
REMEMBER_S: Final = 600.0
"""How long a network that let no WebSocket through is not tried with one again; it may be another network by then."""


class Reach:
    """For all edges of one person. `clock` gives monotonic seconds."""

    def __init__(self, token: str, outward: Outward, clock: Callable[[], float]) -> None:
        self._token = token
        self._outward = outward
        self._clock = clock
        self._blocked_until: dict[str, float] = {}
        self._let_through: set[str] = set()

    def forget(self) -> None:
        """The network is another one: what it lets through is not known any more."""
        self._blocked_until.clear()
        self._let_through.clear()

    async def open(self, url: str) -> Opened:
        """A session with the edge at `url`. Raises DialError."""
        if self._clock() < self._blocked_until.get(url, 0.0):
            try:
                return await self._stream(url)
            except DialError:
                del self._blocked_until[url]
        try:
            opened = await open_url(url, self._token, decode_to_client, OPEN_TIMEOUT_S, self._outward)
        except DialError as error:
            if not error.blocked or url in self._let_through:  # the edge is at fault then, not the network
                raise
            return await self._instead(url, error)
        self._let_through.add(url)
        return opened

    async def _instead(self, url: str, blocked: DialError) -> Opened:
        """A stream, after the WebSocket failed; if there is none either, it was not the network's fault."""
        try:
            from lsp_server.sources.stream_wire import NoStreamError
        except ImportError:  # an installation without aiohttp
            raise blocked from None
        try:
            opened = await self._stream(url)
        except NoStreamError:
            raise blocked from None
        except DialError as error:
            raise (blocked if error.pause_s is None else error) from None
        log.info("%s: no WebSocket gets through (%s); the session runs over HTTP.", url.partition("?")[0], blocked)
        self._blocked_until[url] = self._clock() + REMEMBER_S
        return opened

    async def _stream(self, url: str) -> Opened:
        from lsp_server.sources.stream_wire import open_stream

        return await open_stream(url, self._token, decode_to_client, OPEN_TIMEOUT_S, self._outward)
