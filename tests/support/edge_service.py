"""A real proxy run from a settings file, with the real starter behind it, and sessions that speak the wire protocol."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

from lsp_server.demo.programs import Program, free_port
from wire_protocol.codec import decode_to_client, encode
from wire_protocol.frames import SUBPROTOCOL, AnyFrame, Complete, Context, Done, Hello, Welcome

PATIENCE = 20.0
"""Seconds after which something that a test waits for has not happened."""


class WireClient:
    """One session. Frames that nobody asked for yet are kept in `seen`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.seen: list[Any] = []

    async def send(self, frame: AnyFrame) -> None:
        await self.socket.send_bytes(encode(frame))

    async def receive(self) -> Any:
        """The next frame; None once the proxy has closed."""
        message = await asyncio.wait_for(self.socket.receive(), PATIENCE)
        if message.type is not aiohttp.WSMsgType.BINARY:
            return None
        self.seen.append(decode_to_client(message.data))
        return self.seen[-1]

    async def until(self, kind: type[Any]) -> Any:
        """The next frame of this kind; fails if the proxy closes before."""
        while True:
            frame = await self.receive()
            assert frame is not None, f"closed with {self.socket.close_code} before a {kind.__name__}: {self.seen}"
            if isinstance(frame, kind):
                return frame

    async def closed(self) -> int | None:
        """The code that the proxy closes with; what comes before it is in `seen`."""
        while await self.receive() is not None:
            pass
        return self.socket.close_code

    async def ask(self, id: int, before: str = "def add(a, b):\n", **fields: Any) -> Done:
        """The end of a completion."""
        context = Context(before=before, path="a.py", language="python")
        whole = {"max_tokens": 8, "give_up_ms": 15_000, "kind": "invoked", **fields}
        await self.send(Complete(id=id, doc="d", rev=id, context=context, **whole))
        while True:
            done = await self.until(Done)
            if done.id == id:
                assert isinstance(done, Done)
                return done


class EdgeService:
    """Proxy and worker in `folder`; settings as TOML text that a test may rewrite before `reload`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = folder / "proxy.toml"
        self.log = folder / "proxy.log"
        self.worker_address = f"unix:{folder}/w.sock"
        arguments = ["--engine", "llama", "--model", "starter", "--listen", self.worker_address]
        self.worker = Program("gpu_worker", arguments, folder / "worker.log", {})
        self.proxy = Program("edge_proxy", ["--config", str(self.config)], self.log, {})
        self.http: aiohttp.ClientSession

    def configure(self, more: str = "", top: str = "", workers: Sequence[str] = ()) -> None:
        """Write the settings: `top` before the first table, `more` after; `workers` beside the real one."""
        addresses = json.dumps([self.worker_address, *workers])
        self.config.write_text(f'listen = "127.0.0.1:{self.port}"\nworkers = {addresses}\n{top}\n{more}\n')

    async def start(self, *, worker: bool = True) -> None:
        self.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        await asyncio.gather(self.proxy.start(), *([self.worker.start()] if worker else []))
        if worker:
            async with asyncio.timeout(PATIENCE):
                while (await self.http.get(f"{self.url}/readyz")).status != 200:  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.02)

    async def stop(self) -> None:
        await self.http.close()
        await asyncio.gather(self.proxy.stop(), self.worker.stop())

    async def connect(self, token: str = "") -> WireClient:
        """A connection that has sent its hello."""
        socket = await self.http.ws_connect(
            f"{self.url}/v1/session", protocols=(SUBPROTOCOL,), max_msg_size=0, autoping=True
        )
        client = WireClient(socket)
        await client.send(Hello(token=token, client="test"))
        return client

    async def session(self, token: str = "") -> WireClient:
        """A session that was welcomed."""
        client = await self.connect(token)
        await client.until(Welcome)
        return client

    async def reload(self) -> None:
        """SIGHUP, and wait until the log says that it was taken or refused."""
        before = self.logged().count("reloaded")
        assert self.proxy.pid is not None
        os.kill(self.proxy.pid, signal.SIGHUP)
        async with asyncio.timeout(PATIENCE):
            while self.logged().count("reloaded") == before:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)

    def logged(self) -> str:
        return self.log.read_text()


async def tokens(*arguments: str) -> str:
    """Run `foretype-proxy tokens`; what it prints on its standard output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edge_proxy", "tokens", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 0, err.decode()
    return out.decode().strip()
