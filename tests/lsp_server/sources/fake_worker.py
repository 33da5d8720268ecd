"""A program that behaves as a local worker: `fake_worker.py MODE STARTS --listen …`; every start adds a line to STARTS.

MODE: `serve` answers "local"; `crash` ends at once with a sentence; `mute` listens and welcomes, but never answers;
`slow` answers how many characters came before the cursor, and says that it read them at 1,000 tokens a second.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve, unix_serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from wire_protocol.codec import decode_from_proxy, encode
from wire_protocol.frames import (
    SUBPROTOCOL,
    Credit,
    Done,
    Error,
    Hello,
    ModelInfo,
    Submit,
    Timings,
    TokenBatch,
    Tokens,
    Usage,
    Welcome,
)


async def session(connection: ServerConnection, mode: str, token: str) -> None:
    with contextlib.suppress(ConnectionClosed):
        async for message in connection:
            assert isinstance(message, bytes)
            frame = decode_from_proxy(message)
            if isinstance(frame, Hello):
                if frame.token != token:
                    await connection.send(encode(Error(code="auth", message="Unknown token.")))
                    return
                await connection.send(
                    encode(Welcome(session=str(os.getpid()), models=[ModelInfo(name="fake", context_tokens=2_048)]))
                )
                await connection.send(encode(Credit(grant=4)))
            elif isinstance(frame, Submit) and mode != "mute":
                read = len(frame.context.before) // 4
                text, took = ("local", None) if mode == "serve" else (str(len(frame.context.before)), read)
                batch = TokenBatch(id=frame.id, offset=0, text=text, tokens=1)
                await connection.send(encode(Tokens(items=[batch])))
                timings = Timings() if took is None else Timings(first_token_ms=took)
                usage = Usage(prompt_tokens=took or 0)
                done = Done(id=frame.id, reason="stop", model=str(os.getpid()), usage=usage, timings=timings)
                await connection.send(encode(done))
                await connection.send(encode(Credit(grant=1)))


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("mode")
    parser.add_argument("starts", type=Path)
    parser.add_argument("--listen")
    parser.add_argument("--token-file", type=Path)
    options = parser.parse_args()
    if options.listen.startswith("unix:"):
        Path(options.listen.removeprefix("unix:")).unlink(missing_ok=True)
    with options.starts.open("a") as starts:
        starts.write(f"{os.getpid()}\n")
    if options.mode == "crash":
        sys.exit("fake worker: the model is broken")
    options.token = options.token_file.read_text().strip() if options.token_file else ""
    return options


async def main(options: argparse.Namespace) -> None:
    protocols = [Subprotocol(SUBPROTOCOL)]

    def handler(connection: ServerConnection) -> object:
        return session(connection, options.mode, options.token)

    if options.listen.startswith("unix:"):
        path = options.listen.removeprefix("unix:")
        server = await unix_serve(handler, path, subprotocols=protocols)
    else:
        host, port = options.listen.rsplit(":", 1)
        server = await serve(handler, host, int(port), subprotocols=protocols)
    await server.serve_forever()


asyncio.run(main(options()))
