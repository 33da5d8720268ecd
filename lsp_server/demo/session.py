"""One run of the demo: the programs, the editor and the typist brought together."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from pathlib import Path
from typing import Final

from lsp_server.demo.buffer import Buffer
from lsp_server.demo.editor import Editor, Suggestion
from lsp_server.demo.programs import Program, free_port
from lsp_server.demo.report import Report
from lsp_server.demo.screen import Screen
from lsp_server.demo.typist import Typist

KILL_AT: Final = 0.40
RESTART_AT: Final = 0.70
"""Shares of the text after which the proxy is killed, and started again."""

READING_TIME: Final = 0.2
"""Seconds a person needs to see that a suggestion is right before pressing Tab."""

ONLINE_TIMEOUT: Final = 60.0
"""Seconds the server may take to find the edge; more than its longest pause between attempts."""

LAST_ANSWER_TIMEOUT: Final = 5.0


class Session:
    """Starts everything in `folder` (nothing outside it is read or written), types, stops everything."""

    def __init__(self, folder: Path, token: str, model: str, screen: Screen) -> None:
        self._folder = folder
        self._screen = screen
        self._report = Report()
        port = free_port()
        tokens = folder / "tokens.txt"
        tokens.write_text(f"demo:{token}\n", encoding="utf-8")
        tokens.chmod(0o600)
        config = folder / "config.toml"
        config.write_text(
            f'[edge]\nurls = ["ws://127.0.0.1:{port}/v1/session"]\ntoken = {json.dumps(token)}\n'
            f"[local]\nmodel = {json.dumps(model)}\n",
            encoding="utf-8",
        )
        config.chmod(0o600)
        self._environment = {
            "FORETYPE_CONFIG": str(config),
            "FORETYPE_RUNTIME_DIR": str(folder / "run"),
            "FORETYPE_STATE_DIR": str(folder / "state"),
        }
        worker_at = f"unix:{folder / 'worker.sock'}" if os.name == "posix" else f"127.0.0.1:{free_port()}"
        worker_url = worker_at if os.name == "posix" else f"ws://{worker_at}"
        self._worker = Program(
            "gpu_worker",
            ["--engine", "llama", "--model", model, "--listen", worker_at],
            folder / "worker.log",
            self._environment,
        )
        self._proxy = Program(
            "edge_proxy",
            ["--listen", f"127.0.0.1:{port}", "--worker", worker_url, "--token-file", str(tokens), "--region", "demo"],
            folder / "proxy.log",
            self._environment,
        )
        self._editor: Editor | None = None

    async def start(self, title: str, buffer: Buffer) -> None:
        """Start worker, proxy and language server, and wait until the edge answers. Raises ProgramFailedError."""
        self._screen.note("starting the worker (llama.cpp, the starter model)")
        await self._worker.start()
        self._screen.note("starting the proxy")
        await self._proxy.start()
        self._screen.note("starting the language server")
        self._editor = Editor((self._folder / Path(title).name).as_uri(), "python", buffer)
        await self._editor.start(environment=self._environment)
        await self._editor.until_state("online", ONLINE_TIMEOUT)
        self._screen.note(f"typing {title}; suggestions come from the edge and from the cache")

    async def type(self, typist: Typist) -> Report:
        """Type to the end, through the proxy's death and return; what was seen."""
        editor = self._editor
        if editor is None:
            raise RuntimeError("start() comes first")
        killed = restarted = False
        restart: asyncio.Task[None] | None = None
        pending: asyncio.Task[Suggestion | None] | None = None
        while not typist.done:
            if pending is not None:
                pending = await self._look(editor, typist, pending, restarted)
            if typist.done:
                break
            if not killed and typist.share >= KILL_AT:
                killed = True
                self._screen.note("the proxy is killed (kill -9); the local model takes over")
                await self._proxy.kill()
            if not restarted and typist.share >= RESTART_AT:
                restarted = True
                self._screen.note("the proxy is started again")
                restart = asyncio.create_task(self._restart(editor))
            pending = editor.press(typist.next_key())
            self._report.typed_characters += 1
            self._screen.show(editor.buffer, "", "", 0.0)
        if pending is not None:
            await asyncio.wait({pending}, timeout=LAST_ANSWER_TIMEOUT)
            self._saw(editor, pending, restarted)
        if restart is not None:
            await restart
        if not self._report.edge_after_restart:
            await self._one_more(editor)
        self._report.stats = await editor.stats()
        return self._report

    async def _look(
        self, editor: Editor, typist: Typist, pending: asyncio.Task[Suggestion | None], restarted: bool
    ) -> asyncio.Task[Suggestion | None] | None:
        """Pause as the person does, looking at what appears; accept what is right. The request still running."""
        pause = typist.next_pause()
        await asyncio.wait({pending}, timeout=pause)
        suggestion = self._saw(editor, pending, restarted)
        if suggestion is not None and typist.wants(suggestion.text) and not typist.types_through():
            await asyncio.sleep(READING_TIME)
            typist.accepted(suggestion.text)
            self._report.accepted[suggestion.source] += 1
            self._report.accepted_characters += len(suggestion.text)
            return editor.accept(suggestion)
        if not pending.done():
            pending.cancel()
        return None

    def _saw(self, editor: Editor, pending: asyncio.Task[Suggestion | None], restarted: bool) -> Suggestion | None:
        if not pending.done() or pending.cancelled():
            return None
        suggestion = pending.result()
        if suggestion is not None:
            self._report.saw(suggestion.source, suggestion.latency_ms)
            self._report.edge_after_restart += restarted and suggestion.source == "edge"
            self._screen.show(editor.buffer, suggestion.text, suggestion.source, suggestion.latency_ms)
        return suggestion

    async def _restart(self, editor: Editor) -> None:
        await self._proxy.start()
        if await editor.until_state("online", ONLINE_TIMEOUT):
            self._screen.note("the edge is back")

    async def _one_more(self, editor: Editor) -> None:
        """The text ended before the edge was found again: one more line."""
        for key in "\nx = ":
            pending = editor.press(key)
            await asyncio.wait({pending}, timeout=LAST_ANSWER_TIMEOUT)
            self._saw(editor, pending, restarted=True)

    async def stop(self) -> None:
        """End everything that was started."""
        if self._editor is not None:
            with contextlib.suppress(ConnectionError):
                await self._editor.stop()
        await self._proxy.stop()
        await self._worker.stop()
