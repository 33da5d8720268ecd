"""Where the log goes: a rotating file in the state folder, warnings also to stderr; never text of documents."""

from __future__ import annotations

import logging
import os
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from lsp_server.paths import UnsafeFolderError, state_dir

LOG_NAME: Final = "lsp.log"
MAX_BYTES: Final = 1_048_576
BACKUPS: Final = 2
LEVEL_VARIABLE: Final = "FORETYPE_LOG_LEVEL"
_FORMAT: Final = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
_QUIET: Final = ("websockets", "pygls", "filelock")
"""Libraries that log what passes through them (frames, tokens, whole documents) below WARNING."""


class _OneLine(logging.Formatter):
    """stderr is read by people in an editor's output window: the message, and a fault's name, but no traceback."""

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        fault = record.exc_info[1] if record.exc_info else None
        if fault is not None:
            message += f" ({type(fault).__name__}; the log file has more)"
        return f"foretype-lsp: {record.levelname.lower()}: {message}"


def log_file() -> Path:
    """The log file. Raises UnsafeFolderError if the state folder cannot be used."""
    return state_dir() / LOG_NAME


def set_up(*, console: bool = True) -> Path | None:
    """Log to the file (FORETYPE_LOG_LEVEL, default info) and, with `console`, warnings to stderr.

    Returns the file, or None with a warning if it cannot be written: the program works without a log.
    """
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()
    if console:
        stderr = logging.StreamHandler(sys.stderr)
        stderr.setLevel(logging.WARNING)
        stderr.setFormatter(_OneLine())
        root.addHandler(stderr)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    level = logging.getLevelNamesMapping().get(os.environ.get(LEVEL_VARIABLE, "info").upper(), logging.INFO)
    root.setLevel(level)
    try:
        file = log_file()
        to_file = RotatingFileHandler(file, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8", delay=False)
    except (OSError, UnsafeFolderError) as error:
        logging.getLogger(__name__).warning("No log file is written: %s", error)
        return None
    to_file.setFormatter(logging.Formatter(_FORMAT))
    root.addHandler(to_file)
    return file
