"""Foretype's other programs as child processes of the demo: started, awaited until ready, killed, stopped."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import Final

READY_TIMEOUT: Final = 90.0
"""Seconds for a program to say that it is ready; a cold start on a busy laptop takes a few."""

STOP_TIMEOUT: Final = 10.0
"""Seconds a program has to leave after SIGTERM before it is killed."""

READY_WORD: Final = "ready on"
_LOG_TAIL: Final = 1_500


class ProgramFailedError(Exception):
    """A program did not become ready; the message has the end of its log."""


def free_port() -> int:
    """A TCP port on loopback that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Program:
    """`python -m MODULE ARGUMENTS…` with its output in a log file; `ready` is what it prints once it can be used."""

    def __init__(
        self, module: str, arguments: list[str], log: Path, environment: dict[str, str], ready: str = READY_WORD
    ) -> None:
        self._command = [sys.executable, "-m", module, *arguments]
        self._name = module
        self._log = log
        self._ready = ready
        self._environment = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until it says that it is ready. Raises ProgramFailedError."""
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,  # Ctrl+C is for the demo, which ends its programs in order
            )
        try:
            async with asyncio.timeout(READY_TIMEOUT):
                while self._ready not in self._logged():
                    if self._process.returncode is not None:
                        raise ProgramFailedError(f"{self._name} left with {self._process.returncode}: {self._end()}")
                    await asyncio.sleep(0.05)
        except TimeoutError:
            await self.kill()
            raise ProgramFailedError(
                f"{self._name} was not ready within {READY_TIMEOUT:.0f} s: {self._end()}"
            ) from None

    def _logged(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def _end(self) -> str:
        return self._logged()[-_LOG_TAIL:].strip() or "it printed nothing"

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process is not None else None

    async def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def stop(self) -> None:
        """Ask it to leave (SIGTERM), and kill it if it does not."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_TIMEOUT)
        except TimeoutError:
            await self.kill()
