"""The demo leaves nothing behind, also when a person has seen enough of it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import psutil

STARTED_WITHIN = 60.0
LEFT_WITHIN = 30.0


async def test_an_interrupted_demo_ends_its_programs_and_shows_no_traceback() -> None:
    demo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lsp_server", "demo", "--fast", "--plain"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        # Whoever starts the tests in a shell's background has it ignored, and a child inherits that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert demo.stdout is not None
    shown = b""
    async with asyncio.timeout(STARTED_WITHIN):
        while b"typing cachetools" not in shown:
            line = await demo.stdout.readline()
            assert line, shown.decode()
            shown += line
    programs = psutil.Process(demo.pid).children(recursive=True)
    assert len(programs) >= 3  # worker, proxy, language server
    os.killpg(demo.pid, signal.SIGINT)  # as a terminal does: everybody in the foreground gets it
    async with asyncio.timeout(LEFT_WITHIN):
        shown += await demo.stdout.read()
        assert await demo.wait() == 130
    assert b"Traceback" not in shown
    _, left = await asyncio.to_thread(psutil.wait_procs, programs, 10)
    assert left == []
