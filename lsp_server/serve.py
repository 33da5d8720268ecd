"""The running language server: one editor on standard input and output or on TCP, until it leaves."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any, Final

from pygls.io_ import StdinAsyncReader, StdoutWriter

from lsp_server.server import ForetypeServer
from lsp_server.transport import Leave, Reader, read_messages

logger = logging.getLogger(__name__)

TURNS_TO_ANSWER: Final = 4
"""Turns of the event loop in which pygls, through callbacks, answers a `shutdown` whose handler is through; an editor
may say `exit` without waiting for that."""


async def serve(server: ForetypeServer, reader: Reader, writer: Any) -> None:
    """Serve one editor until it leaves; its sources are closed whatever happens.

    Raises SystemExit, with LSP's exit code, if the editor said `exit`.
    """
    server.protocol.set_writer(writer)
    leave: Leave | None = None
    try:
        leave = await read_messages(reader, server.protocol)
    finally:
        await server.finish()
    for _ in range(TURNS_TO_ANSWER):
        await asyncio.sleep(0)
    if leave is not None:
        leave()


def run_stdio(server: ForetypeServer | None = None) -> int:
    """Serve the editor on standard input and output; the process's exit code."""
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # a stray print must not break the protocol
    served = ForetypeServer() if server is None else server

    async def main() -> None:
        await serve(served, StdinAsyncReader(stdin, served.thread_pool), StdoutWriter(stdout))

    return _until_exit(main())


def run_tcp(host: str, port: int) -> int:
    """Listen on `host`:`port`, serve the first editor that connects, and leave with it; the process's exit code.

    Raises OSError if the address cannot be listened on.
    """

    async def main() -> None:
        connected: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = (
            asyncio.get_running_loop().create_future()
        )

        def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if connected.done():
                writer.close()
            else:
                connected.set_result((reader, writer))

        listening = await asyncio.start_server(connect, host, port)
        address = listening.sockets[0].getsockname()
        print(f"foretype-lsp: ready on {address[0]}:{address[1]}", file=sys.stderr, flush=True)
        reader, writer = await connected
        listening.close()
        await serve(ForetypeServer(), reader, writer)
        writer.close()

    return _until_exit(main())


def _until_exit(main: Any) -> int:
    try:
        asyncio.run(main)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 1
    except (BrokenPipeError, ConnectionResetError):
        logger.info("The editor closed its connection without saying goodbye.")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
