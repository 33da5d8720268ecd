"""The proxy under test as its own process on a core of its own: its address, its CPU time, its memory."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Final

import psutil

from benchmarks.edge.cpu_time import cpu_seconds

START_SECONDS: Final = 30.0


class Proxy:
    """A running proxy."""

    def __init__(self, process: asyncio.subprocess.Process, address: str) -> None:
        self._process: Final = psutil.Process(process.pid)
        host, _, port = address.rpartition("://")[2].rpartition(":")
        self.host: Final = host
        self.port: Final = int(port)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def kill(self) -> None:
        """As `kill -9` does."""
        self._process.kill()

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        return cpu_seconds(self._process.pid)

    def resident_bytes(self) -> int:
        """Memory of its own: what fork and libraries share is counted in the difference of two readings only once."""
        return int(self._process.memory_info().rss)


def spread_cores() -> None:
    """The load generator takes the last core; `Proxy` processes take the first. One core: both share it."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})


def proxy_core() -> int:
    """The core for what is measured: one that this process does not use, where there is one."""
    mine = os.sched_getaffinity(0)
    return min(set(range(psutil.cpu_count() or 1)) - mine or mine)


@contextlib.asynccontextmanager
async def proxy(arguments: Sequence[str], module: str = "edge_proxy", profile: str = "") -> AsyncIterator[Proxy]:
    """Start `python -m module …` and wait until it listens; `profile` writes cProfile's statistics there."""
    core = proxy_core()
    run = ["-m", "cProfile", "-o", profile, "-m", module] if profile else ["-m", module]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *run,
        *arguments,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), START_SECONDS)).decode()
        if " ready on " not in line:
            raise RuntimeError(f"the proxy did not start: {line}")
        yield Proxy(process, line.partition(" ready on ")[2].strip())
    finally:
        if process.returncode is None:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), START_SECONDS)
        if process.returncode is None:
            process.kill()
        await process.wait()
