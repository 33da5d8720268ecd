"""Warnings of our own packages as messages in the editor's log (`window/logMessage`)."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from lsp_server.printable import printable

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

_OURS: Final = "lsp_server"


class ClientLog(logging.Handler):
    """Attached while an editor is connected. Messages only: a traceback is for the log file."""

    def __init__(self, server: LanguageServer) -> None:
        super().__init__(logging.WARNING)
        self._server = server
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0

    def attach(self) -> None:
        """Begin to forward; to be called in the event loop."""
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        logging.getLogger(_OURS).addHandler(self)

    def detach(self) -> None:
        """Stop forwarding."""
        logging.getLogger(_OURS).removeHandler(self)
        self._loop = None

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record; from another thread by way of the loop, whose the connection is."""
        kind = types.MessageType.Error if record.levelno >= logging.ERROR else types.MessageType.Warning
        message = types.LogMessageParams(kind, printable(record.getMessage()))
        if self._loop is None:
            return
        if threading.get_ident() == self._thread:
            self._server.window_log_message(message)
        else:
            self._loop.call_soon_threadsafe(self._server.window_log_message, message)
