"""A real redis-server for these tests; without one they are skipped, unless FORETYPE_NEED_REDIS says they must run."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import pytest

PATIENCE = 10.0

collect_ignore_glob = [] if find_spec("redis") and find_spec("cryptography") else ["test_*.py"]
"""The extra `redis` is optional."""


class RedisServer:
    """A redis-server on a Unix socket of its own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "redis.sock"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.path}"

    async def start(self, *arguments: str) -> None:
        flags = ["--port", "0", "--unixsocket", str(self.path), "--save", "", "--dir", str(self.path.parent)]
        self._launch(["redis-server", *flags, *arguments])
        async with asyncio.timeout(PATIENCE):
            while not self.path.exists():  # noqa: ASYNC110 - another process makes it
                await asyncio.sleep(0.01)

    def _launch(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
            self.path.unlink(missing_ok=True)


@pytest.fixture
async def redis_server(tmp_path: Path) -> AsyncIterator[RedisServer]:
    if shutil.which("redis-server") is None:
        if os.environ.get("FORETYPE_NEED_REDIS"):
            pytest.fail("redis-server is not installed: apt-get install redis-server")
        pytest.skip("needs redis-server: apt-get install redis-server")
    server = RedisServer(tmp_path)
    await server.start()
    yield server
    server.stop()
