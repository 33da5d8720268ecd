"""Options of the TCP sockets that sessions run over."""

from __future__ import annotations

import socket
from typing import Protocol


class _HasSocket(Protocol):
    def get_extra_info(self, name: str) -> object: ...


def tcp_socket(transport: _HasSocket | None) -> socket.socket | None:
    """The TCP socket under `transport` (uvloop gives a look-alike), or None for a Unix domain socket."""
    found = None if transport is None else transport.get_extra_info("socket")
    family = getattr(found, "family", None)
    return found if family in {socket.AF_INET, socket.AF_INET6} else None  # type: ignore[return-value]  # see above


def set_nodelay(transport: _HasSocket | None) -> None:
    """Turn Nagle's algorithm off: with it, a stream's first token waits 40 ms for a delayed acknowledgement."""
    tcp = tcp_socket(transport)
    if tcp is not None:
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
