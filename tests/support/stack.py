"""Real Foretype processes for system tests: worker, proxy, language server and an editor, isolated in one folder."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from lsp_server.demo.buffer import Buffer
from lsp_server.demo.editor import Editor, Suggestion
from lsp_server.demo.programs import Program, free_port

TOKEN = "a-token-for-tests"
ANSWER_WITHIN = 12.0
"""Seconds in which any request must be answered: the longest give-up time (8 s) and room for a busy machine."""

RESUMED_WITHIN = 60.0
"""Seconds after a failure within which suggestions must come again: back-off and the restart of a process."""

CODE = '''"""Sums."""


def add(a, b):
    return a + b


def subtract(a, b):
'''


class Stack:
    """Start only what a test needs; everything is stopped by `stop`."""

    def __init__(self, folder: Path, code: str = CODE, name: str = "sums.py", language: str = "python") -> None:
        self.folder = folder
        self.port = free_port()
        self.tokens = folder / "tokens.txt"
        self.tokens.write_text(f"test:{TOKEN}\n")
        self.environment = {
            "FORETYPE_CONFIG": str(folder / "config.toml"),
            "FORETYPE_RUNTIME_DIR": str(folder / "run"),
            "FORETYPE_STATE_DIR": str(folder / "state"),
        }
        self._programs: list[Program] = []
        self.worker = self.worker_at("worker")
        self.proxy = self.proxy_to("worker")
        self.editor = Editor((folder / name).as_uri(), language, Buffer(code, len(code)))
        self._editor_started = False
        self.configure()

    def worker_at(self, name: str, *arguments: str) -> Program:
        """A real worker with the starter model on the unix socket `name`.sock."""
        program = Program(
            "gpu_worker",
            ["--engine", "llama", "--model", "starter", "--listen", f"unix:{self.folder / name}.sock", *arguments],
            self.folder / f"{name}.log",
            self.environment,
        )
        self._programs.append(program)
        return program

    def proxy_to(self, *workers: str, more: Sequence[str] = ()) -> Program:
        """A real proxy on this stack's port in front of the workers of these names."""
        arguments = ["--listen", f"127.0.0.1:{self.port}", "--token-file", str(self.tokens)]
        for worker in workers:
            arguments += ["--worker", f"unix:{self.folder / worker}.sock"]
        program = Program("edge_proxy", [*arguments, *more], self.folder / "proxy.log", self.environment)
        self._programs.append(program)
        return program

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/session"

    def configure(
        self, *, urls: list[str] | None = None, token: str = TOKEN, local: bool = True, more: str = ""
    ) -> None:
        """Write the user's settings file."""
        (self.folder / "config.toml").write_text(
            f"{more}\n[edge]\nurls = {json.dumps([self.url] if urls is None else urls)}\ntoken = {json.dumps(token)}\n"
            f"[local]\nenabled = {json.dumps(local)}\n"
        )

    async def start_editor(self, options: dict[str, Any] | None = None) -> None:
        await self.editor.start(options, environment=self.environment)
        self._editor_started = True

    async def typed(self, text: str) -> list[Suggestion | None]:
        """Type `text` key by key, waiting for each answer, as a slow person would."""
        return [await self.answer(self.editor.press(key)) for key in text]

    async def answer(self, request: asyncio.Task[Suggestion | None]) -> Suggestion | None:
        """The answer of a request, which must come."""
        return await asyncio.wait_for(request, ANSWER_WITHIN)

    async def until_suggested_by(self, *sources: str) -> Suggestion:
        """Type new lines of code until a suggestion of one of `sources` appears; fails if none does in time."""
        async with asyncio.timeout(RESUMED_WITHIN):
            for number in range(10_000):
                for key in f"\n    value{number} = a":
                    suggestion = await self.answer(self.editor.press(key))
                    if suggestion is not None and suggestion.source in sources:
                        return suggestion
        raise AssertionError("unreachable")

    def local_worker(self) -> psutil.Process | None:
        """The process of the shared local model of this stack's user, if one runs."""
        for process in psutil.process_iter(["cmdline"]):
            command = process.info["cmdline"] or []
            if "gpu_worker" in command and any(str(self.folder / "run") in part for part in command):
                return process
        return None

    async def stop(self) -> None:
        if self._editor_started:
            await self.editor.stop()
        for program in reversed(self._programs):
            await program.stop()
        local = self.local_worker()
        if local is not None:
            local.terminate()
            await asyncio.to_thread(psutil.wait_procs, [local], 10)


async def run_command(
    *arguments: str, environment: dict[str, str], prefix: Sequence[str] = (), seconds: float = 60.0
) -> tuple[int, str, str]:
    """Run `PREFIX… python -m ARGUMENTS…`; exit code, standard output and standard error."""
    process = await asyncio.create_subprocess_exec(
        *prefix,
        sys.executable,
        "-m",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    return process.returncode or 0, out.decode(), err.decode()
