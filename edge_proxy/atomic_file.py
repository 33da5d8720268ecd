"""A small file that several processes change: replaced whole, read by its owner only, one writer at a time."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

LOCK_SECONDS: Final = 5.0
"""A writer needs milliseconds; who waits longer than this waits for one that hangs."""


def change(path: Path, edit: Callable[[bytes | None], bytes]) -> None:
    """Replace what is in `path` by what `edit` makes of it (None: there is no such file yet).

    Readers see the old or the new content, never a part, also after a power cut. Raises OSError, and TimeoutError
    while another process holds the lock beside the file.
    """
    try:
        with FileLock(f"{path}.lock", timeout=LOCK_SECONDS, mode=0o600):
            _replace(path, edit(read(path)))
    except Timeout:
        raise TimeoutError(f"another process has held {path}.lock for {LOCK_SECONDS:g} seconds") from None


def read(path: Path) -> bytes | None:
    """The content; None if there is no such file. Raises OSError."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def version(path: Path) -> tuple[int, int, int] | None:
    """What differs once the file was replaced or written to; None if there is none. Raises OSError."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # made with mode 0600
    try:
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
