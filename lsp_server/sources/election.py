"""Which of the user's editors starts the local worker, and where that worker listens.

Everything lies in the private runtime folder under a name made from the model: a lock file, and a unix socket, or on
Windows a file with a loopback port and a token. Whoever holds the lock starts the worker; the others connect to it.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final, Literal

from filelock import FileLock, Timeout

from wire_protocol.frames import SUBPROTOCOL

Transport = Literal["unix", "tcp"]

NAME_BYTES: Final = 6
"""48 bits of hash: models of one user never collide, and the socket's path stays short."""
TOKEN_BYTES: Final = 32
PRIVATE_FILE: Final = 0o600


def default_transport() -> Transport:
    """Unix sockets where asyncio has them."""
    return "tcp" if sys.platform == "win32" else "unix"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a worker listens: a unix socket, or a loopback port with the token it asks for."""

    socket_path: Path | None = None
    port: int = 0
    token: str = ""
    token_file: Path | None = None

    def listen_arguments(self) -> list[str]:
        """The worker's command line arguments to listen here."""
        if self.socket_path is not None:
            return ["--listen", f"unix:{self.socket_path}"]
        return ["--listen", f"127.0.0.1:{self.port}", "--token-file", str(self.token_file)]


class Meeting:
    """The place where editors and the worker of one `model` meet, in the private folder `folder`."""

    def __init__(self, folder: Path, model: str, transport: Transport) -> None:
        name = blake2b(f"{SUBPROTOCOL}\0{model}".encode(), digest_size=NAME_BYTES).hexdigest()
        self._transport = transport
        self.socket_path: Final = folder / f"w-{name}.sock"
        self.record_path: Final = folder / f"w-{name}.json"
        self.token_path: Final = folder / f"w-{name}.token"
        self.lock_path: Final = folder / f"w-{name}.lock"
        self.name: Final = name

    @contextlib.contextmanager
    def elected(self) -> Iterator[bool]:
        """Whether this process may start the worker; it stays elected inside the block. Never waits."""
        lock = FileLock(self.lock_path, thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def present(self) -> Address | None:
        """Where a worker may be listening; None if none was started that could be."""
        if self._transport == "unix":
            return Address(socket_path=self.socket_path)
        try:
            record = json.loads(self.record_path.read_text())
            return Address(port=int(record["port"]), token=str(record["token"]), token_file=self.token_path)
        except (OSError, ValueError, KeyError, TypeError):
            return None  # not written yet, or half-written by a process that died

    def prepare(self) -> Address:
        """A fresh address for a worker about to be started; only for who is elected. Raises OSError."""
        if self._transport == "unix":
            return Address(socket_path=self.socket_path)
        port, token = _free_port(), secrets.token_urlsafe(TOKEN_BYTES)
        _write_private(self.token_path, f"{token}\n")
        _write_private(self.record_path, json.dumps({"port": port, "token": token}))
        return Address(port=port, token=token, token_file=self.token_path)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _write_private(path: Path, text: str) -> None:
    """Replace `path` by a file that only the user can read, at once."""
    new = path.with_suffix(f".{os.getpid()}.new")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "w") as file:
        file.write(text)
    new.replace(path)
