"""Addresses as people write them, `HOST:PORT` or `unix:PATH`, and which of them only this machine can reach; pure."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from typing import Final

SESSION_PATH: Final = "/v1/session"
UNIX_PREFIX: Final = "unix:"

MAX_UNIX_PATH_BYTES: Final = 103
"""Longest path of a unix socket: 104 bytes with its final zero on macOS, 108 on Linux."""

_MAX_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A host (name or IP, without brackets) and a port; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """The path of a unix socket."""

    path: str

    def __str__(self) -> str:
        return f"{UNIX_PREFIX}{self.path}"


Address = TcpAddress | UnixAddress


def parse(text: str) -> Address:
    """The address that `text` names: `HOST:PORT`, `[IPv6]:PORT` or `unix:PATH`.

    Raises ValueError, whose text is a sentence for the person who wrote it.
    """
    if text.startswith(UNIX_PREFIX):
        return UnixAddress(_unix_path(text))
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > _MAX_PORT:
        raise ValueError(f"The address {text!r} is not understood: write HOST:PORT (127.0.0.1:9000) or unix:PATH.")
    return TcpAddress(host, int(port))


def _unix_path(text: str) -> str:
    path = text.removeprefix(UNIX_PREFIX)
    if not path or "\x00" in path:
        raise ValueError(f"The address {text!r} has no socket path: write unix:/path/to/a.sock.")
    if len(os.fsencode(path)) > MAX_UNIX_PATH_BYTES:
        raise ValueError(
            f"The socket path {path} is longer than the {MAX_UNIX_PATH_BYTES} bytes that systems allow: "
            "choose a shorter one."
        )
    return path


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host` (a name or an IP address)."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_private(address: Address) -> bool:
    """Whether only this machine can reach `address`: loopback, or a unix socket."""
    return isinstance(address, UnixAddress) or is_loopback(address.host)


def unsafe_reason(
    address: Address, *, token: bool, tls: bool, insecure: bool, tokens: str = "--token-file"
) -> str | None:
    """Why serving on `address` is refused: others can reach it, and a token or TLS is missing. None if it is safe.

    `tokens` are the settings that make a server ask for tokens.
    """
    if insecure or is_private(address) or (token and tls):
        return None
    missing = " and ".join(
        name for name, there in ((tokens, token), ("TLS (--tls-cert with --tls-key)", tls)) if not there
    )
    return (
        f"{address} can be reached from other machines, so {missing} is needed: give it, listen on 127.0.0.1, "
        "or say --insecure if the network in between is yours alone."
    )
