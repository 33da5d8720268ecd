"""Where to listen: binds the address, owns the socket file, and says what is wrong in a sentence."""

from __future__ import annotations

import contextlib
import errno
import os
import socket

from gpu_worker.errors import WorkerError
from wire_protocol import addresses
from wire_protocol.addresses import Address, TcpAddress, UnixAddress

BACKLOG = 256
PROBE_SECONDS = 0.5
"""How long to wait for whoever may own a socket file; a local listener's backlog answers at once."""


def parse(text: str) -> Address:
    """The address that `text` names: `HOST:PORT`, `[IPv6]:PORT` or `unix:PATH`. Raises WorkerError."""
    try:
        return addresses.parse(text)
    except ValueError as error:
        raise WorkerError(str(error)) from None


def require_safe(address: Address, *, token: bool, tls: bool, insecure: bool) -> None:
    """Refuse to serve other machines without a token and TLS, unless told to. Raises WorkerError."""
    reason = addresses.unsafe_reason(address, token=token, tls=tls, insecure=insecure)
    if reason is not None:
        raise WorkerError(reason)


def bind(address: Address) -> socket.socket:
    """A listening, non-blocking socket on `address`; a unix socket is for this user only. Raises WorkerError."""
    return _bind_unix(address) if isinstance(address, UnixAddress) else _bind_tcp(address)


def _bind_tcp(address: TcpAddress) -> socket.socket:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise WorkerError(
            f"The host name in {address} cannot be resolved ({error.strerror}): check --listen."
        ) from None
    family, kind, protocol, _, target = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name != "nt":  # on Windows this option would let two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted sockets inherit it on Linux
        listener.bind(target)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise WorkerError(_why_not(address, error)) from None
    listener.setblocking(False)
    return listener


def _bind_unix(address: UnixAddress) -> socket.socket:
    if not hasattr(socket, "AF_UNIX"):
        raise WorkerError(f"This system has no unix sockets: listen on 127.0.0.1:PORT instead of {address}.")
    _remove_stale(address)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)  # only this user may connect
    try:
        listener.bind(address.path)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise WorkerError(_why_not(address, error)) from None
    finally:
        os.umask(before)
    listener.setblocking(False)
    return listener


def _remove_stale(address: UnixAddress) -> None:
    """Remove a socket file that nobody answers on any more, left by a process that was killed."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_SECONDS)
        try:
            probe.connect(address.path)
        except ConnectionRefusedError:
            with contextlib.suppress(OSError):
                os.unlink(address.path)
            return
        except OSError:
            return  # not there, or not ours to judge: bind says what is wrong
    raise WorkerError(f"{address} is in use by another process: stop it, or choose another address with --listen.")


def _why_not(address: Address, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{address} is in use by another process: stop it, or choose another address with --listen."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{address} is not an address of this machine: check --listen."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"No permission to listen on {address}: choose another port or a folder that you own."
    return f"Cannot listen on {address}: {error.strerror or error}."


class SocketFile:
    """The file of a unix socket that this process bound; other processes may remove it, or put theirs in its place."""

    def __init__(self, address: Address) -> None:
        self._path = address.path if isinstance(address, UnixAddress) else None
        self._inode = self._present()

    def _present(self) -> int | None:
        if self._path is None:
            return None
        try:
            return os.stat(self._path).st_ino
        except OSError:
            return None

    @property
    def lost(self) -> bool:
        """Whether there was a file and it is gone or another's: nobody can connect to this process any more."""
        return self._inode is not None and self._present() != self._inode

    def remove(self) -> None:
        """Remove the file if it is still this process's; call it before the listener closes, lest it be another's."""
        if self._path is not None and self._inode is not None and not self.lost:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)
