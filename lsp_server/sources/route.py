"""By which of its addresses this machine goes out: another one means another network."""

from __future__ import annotations

import contextlib
import socket
from typing import Final

_SOMEWHERE: Final = (
    (socket.AF_INET, ("192.0.2.1", 9)),
    (socket.AF_INET6, ("2001:db8::1", 9)),
)
"""Addresses for documentation (RFC 5737, RFC 3849): nobody's. Connecting a UDP socket sends nothing; the system only
chooses the way."""


def outgoing_addresses() -> tuple[str, ...]:
    """The local addresses of the default routes; empty without a network. Two system calls, some 20 microseconds."""
    found = []
    for family, somewhere in _SOMEWHERE:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(somewhere)
            found.append(str(probe.getsockname()[0]))
    return tuple(found)
