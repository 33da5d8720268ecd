"""A `foretype-worker` of another environment (the one that has vLLM), as a process of a bench."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.errors import BenchError

REPOSITORY: Final = Path(__file__).resolve().parents[2]
START_S: Final = 900.0
"""vLLM compiles and captures graphs on its first start: minutes for a large model."""
STOP_S: Final = 30.0
LOG_TAIL: Final = 2_000
READY: Final = " ready on "


@contextlib.asynccontextmanager
async def program(
    python: Path, module: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> AsyncIterator[str]:
    """`python -m module …` until it says where it is ready; yields that address. Raises BenchError."""
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            str(python),
            "-m",
            module,
            *arguments,
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    assert process.stdout is not None
    try:
        try:
            line = (await asyncio.wait_for(process.stdout.readline(), START_S)).decode()
        except TimeoutError:
            line = ""
        if READY not in line:
            said = await asyncio.to_thread(log.read_text, errors="replace")
            raise BenchError(f"{module} does not start: {said[-LOG_TAIL:].strip()}")
        yield line.partition(READY)[2].split(",")[0].strip()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


@contextlib.contextmanager
def unpacked_starter(python: Path) -> Iterator[Path]:
    """The shipped starter as a Hugging Face folder; `python` is of the environment with PyTorch. Raises BenchError."""
    with tempfile.TemporaryDirectory(prefix="ft-") as folder:
        command = [str(python), "-m", "training.unpack", "--out", folder]
        try:
            done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        except OSError as error:
            raise BenchError(f"There is no {python} ({error.strerror}): make it with make test-training.") from None
        if done.returncode:
            raise BenchError(f"The starter cannot be unpacked: {done.stderr[-LOG_TAIL:].strip()}")
        yield Path(folder) / "safetensors"
