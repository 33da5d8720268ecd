"""Where the log goes: a rotating file in the state folder, warnings also to stderr; never text of documents."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Final

from lsp_server.paths import UnsafeFolderError, state_dir
from lsp_server.printable import printable
from lsp_server.privacy import code_log

LOG_NAME: Final = "lsp.log"
MAX_BYTES: Final = 1_048_576
BACKUPS: Final = 2
LEVEL_VARIABLE: Final = "FORETYPE_LOG_LEVEL"
_FORMAT: Final = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
_QUIET: Final = ("websockets", "pygls", "filelock")
"""Libraries that log what passes through them (frames, tokens, whole documents) below WARNING."""


_OURS: Final = ("lsp_server", "wire_protocol")


class _OneLine(logging.Formatter):
    """stderr is read by people in an editor's output window: the message, and a fault's name, but no traceback."""

    def format(self, record: logging.LogRecord) -> str:
        message = printable(record.getMessage())
        fault = record.exc_info[1] if record.exc_info else None
        if fault is not None:
            message += f" ({type(fault).__name__}; the log file has more)"
        return f"foretype-lsp: {record.levelname.lower()}: {message}"


class _WithoutText(logging.Formatter):
    """For the log file: of a fault where it was and what it was. What it says may quote a message of the editor, and
    with it a document, so that is kept only of our own and of the system's faults."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """One line, whatever a file is called."""
        record.message = printable(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:
        """The traceback."""
        kind, fault, frames = ei
        lines = ["Traceback (most recent call last):\n", *traceback.format_tb(frames)]
        says = isinstance(fault, OSError) or getattr(kind, "__module__", "").startswith(_OURS)
        return "".join(lines) + (f"{kind.__name__}: {fault}" if says else str(getattr(kind, "__name__", kind)))


def log_file() -> Path:
    """The log file. Raises UnsafeFolderError if the state folder cannot be used."""
    return state_dir() / LOG_NAME


def set_up(*, console: bool = True, log_code: bool = False) -> Path | None:
    """Log to the file (FORETYPE_LOG_LEVEL, default info) and, with `console`, warnings to stderr.

    `log_code`: also the code that is sent and suggested, in this run.

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
    to_file.setFormatter(_WithoutText(_FORMAT))
    root.addHandler(to_file)
    code_log.switch(on=log_code)
    return file
