"""The messages of one editor's connection, handed to pygls one by one; a request that makes no sense is answered too.

pygls's own loop drops a message it cannot read, and its request stays without an answer for ever.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, Protocol

from lsprotocol.types import EXIT, ErrorCodes, ResponseError
from pygls.exceptions import JsonRpcException
from pygls.protocol import JsonRPCProtocol

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES: Final = 268_435_456
"""A document of 50 MB takes twice that in JSON at worst; what is larger is no message."""

_LENGTH: Final = re.compile(rb"content-length:\s*(\d+)\s*", re.IGNORECASE)


class Reader(Protocol):
    """What bytes come from."""

    def readline(self) -> Awaitable[bytes]:
        """A line with its ending; b"" at the end."""
        ...

    def readexactly(self, n: int, /) -> Awaitable[bytes]:
        """So many bytes; fewer, or EOFError, at the end."""
        ...


Leave = Callable[[], None]
"""What to call to leave as the editor's `exit` wants it; raises SystemExit."""


async def read_messages(reader: Reader, protocol: JsonRPCProtocol) -> Leave | None:
    """Hand every message to `protocol` until the editor closes the connection (None) or says `exit` (how to)."""
    while True:
        length = await _read_length(reader)
        if length is None:
            return None
        if length > MAX_MESSAGE_BYTES:
            logger.error("The editor sent a message of %d bytes, more than is read: the session ends.", length)
            return None
        try:
            body = await reader.readexactly(length)
        except EOFError:
            return None
        if len(body) < length:
            return None
        leave = _handle(body, protocol)
        if leave is not None:
            return leave


async def _read_length(reader: Reader) -> int | None:
    """The length of the next message; None at the end of the connection."""
    length = None
    while line := await reader.readline():
        if found := _LENGTH.fullmatch(line):
            length = int(found.group(1))
        elif not line.strip() and length is not None:
            return length
    return None


def _handle(body: bytes, protocol: JsonRPCProtocol) -> Leave | None:
    try:
        message = json.loads(body, object_hook=protocol.structure_message)
    except (ValueError, RecursionError, JsonRpcException):
        _refuse(body, protocol)
        return None
    if not hasattr(message, "jsonrpc"):
        logger.warning("The editor sent something that is no JSON-RPC message; it is ignored.")
        return None
    if getattr(message, "method", "") == EXIT:
        return partial(protocol.handle_message, message)
    protocol.handle_message(message)
    return None


def _refuse(body: bytes, protocol: JsonRPCProtocol) -> None:
    """Answer a request whose parameters are not LSP's."""
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        raw = None
    method = raw.get("method") if isinstance(raw, dict) else None
    sentence = f"The parameters of {method or 'a message'} are not what the Language Server Protocol says."
    logger.warning("%s", sentence)
    if isinstance(raw, dict) and method is not None and isinstance(raw.get("id"), int | str):
        # pygls has no public way to answer a request that it never saw.
        protocol._send_response(raw["id"], error=ResponseError(code=int(ErrorCodes.InvalidParams), message=sentence))
