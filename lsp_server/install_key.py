"""What names a document outside this machine: an HMAC of its URI under a key that only this installation has."""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from lsp_server.paths import UnsafeFolderError, state_dir

FILE_NAME: Final = "install.key"
KEY_BYTES: Final = 32
"""As long as SHA-256's output (RFC 2104, section 3)."""


def install_key(folder: Path | None = None) -> bytes:
    """The installation's key, made at first use; a new one each time where it cannot be kept."""
    try:
        path = (state_dir() if folder is None else folder) / FILE_NAME
        return _read(path) or _make(path)
    except (OSError, UnsafeFolderError):
        return secrets.token_bytes(KEY_BYTES)


def _read(path: Path) -> bytes | None:
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        return None
    return key if len(key) == KEY_BYTES else None


def _make(path: Path) -> bytes:
    """A new key, moved into place whole: of two editors that start at once the later one's holds."""
    new = path.with_suffix(f".{os.getpid()}.new")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        new.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            new.unlink()
    return _read(path) or secrets.token_bytes(KEY_BYTES)


def document_key(key: bytes) -> Callable[[str], str]:
    """The function from a document's URI to its key, 64 hexadecimal digits."""
    return lambda uri: hmac.digest(key, uri.encode("utf-8", "replace"), "sha256").hex()
