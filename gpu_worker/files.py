"""Files that a person names: read, or what is wrong in a sentence."""

from __future__ import annotations

from pathlib import Path

from gpu_worker.errors import WorkerError


def read_text(path: Path) -> str:
    """The file's text. Raises WorkerError."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise WorkerError(f"The file {path} cannot be read: {why}.") from None
