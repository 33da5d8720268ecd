"""`python -m benchmarks.edge.worker_process PATH SLOTS`: a stand-in worker as its own process, to be killed."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from benchmarks.edge.stand_in import StandInWorker, Timings


async def _serve(path: str, slots: int) -> None:
    worker = StandInWorker(Timings(slots=slots), name=Path(path).stem)
    await worker.start(path)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def worker_process(path: str, slots: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Started, and killed at the end if it lives."""
    command = [sys.executable, "-m", "benchmarks.edge.worker_process", path, str(slots)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        await process.stdout.readline()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


if __name__ == "__main__":
    import uvloop  # not on Windows

    uvloop.run(_serve(sys.argv[1], int(sys.argv[2])))
