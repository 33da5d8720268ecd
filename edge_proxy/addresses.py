"""The addresses a person writes: where to listen, and where a worker is; pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from edge_proxy.errors import StartError
from wire_protocol.addresses import SESSION_PATH, UNIX_PREFIX, Address, UnixAddress, is_loopback, parse


@dataclass(frozen=True, slots=True)
class WorkerAddress:
    """Where a worker is: `name` as written, `url` to connect to, `unix_path` if over a Unix domain socket."""

    name: str
    url: str
    unix_path: str | None = None
    clear_and_far: bool = False
    """Not encrypted, and not on this machine."""


def parse_listen(text: str) -> Address:
    """`HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`. Raises StartError."""
    try:
        return parse(text)
    except ValueError as error:
        raise StartError(f"Cannot listen on {text!r}: {error}") from None


def _unix_path(text: str) -> str:
    try:
        address = parse(text)
    except ValueError as error:
        raise StartError(f"Cannot reach a worker at {text!r}: {error}") from None
    return address.path if isinstance(address, UnixAddress) else ""


def parse_worker(text: str) -> WorkerAddress:
    """`ws://HOST:PORT`, `wss://…` or `unix:PATH`; without a path in the URL, /v1/session. Raises StartError."""
    if text.startswith(UNIX_PREFIX):
        return WorkerAddress(text, f"ws://localhost{SESSION_PATH}", _unix_path(text))
    wrong = StartError(f"{text!r} is no worker's address: write ws://HOST:PORT, wss://HOST:PORT or unix:PATH.")
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port  # raises if it is not a port
    except ValueError:
        raise wrong from None
    if parts.scheme not in {"ws", "wss"} or not host or parts.username or parts.query or parts.fragment:
        raise wrong
    path = parts.path if parts.path not in {"", "/"} else SESSION_PATH
    url = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
    return WorkerAddress(text, url, clear_and_far=parts.scheme == "ws" and not is_loopback(host))
