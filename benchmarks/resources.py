"""What the language server costs at rest, and what three editors at once cost: start, memory, one model for all.

    python -m benchmarks.resources [--starts 7] [--windows 3] [--idle 5]

Start: from the start of the process to the answer to `initialize`, and the time in which it is ready to read; beside a
server of pygls that does nothing, in turn with it. Times are wall clock and, as other programs run on the machine, CPU
of the process; both are medians. Memory: of the process (RSS, and PSS, which counts shared pages by their share) after
it opened a document and was left alone. Windows: each types at seven keys a second in a document of its own, with the
shipped model as the only source; what they measure is the time from the request to the answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psutil
from rich.console import Console
from rich.table import Table

from lsp_server.demo.buffer import Buffer
from lsp_server.demo.editor import Editor

IMPORT_LIMIT_MS: Final = 300
MEMORY_LIMIT_MB: Final = 80
"""Of the issue that asked for these numbers."""
MB: Final = 1_000_000
PACE_S: Final = 0.15
"""Between keys: seven a second."""
PATIENCE_S: Final = 60.0
CODE: Final = '"""Sums."""\n\n\ndef add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n'
TYPED: Final = (
    "\n    total = a + b\n    return total\n\n\ndef scale(values, by):\n    return [value * by for value in values]\n"
)

READY: Final = "from lsp_server import cli; cli._load('lsp_server.serve').ForetypeServer()"
"""What the server does until it reads its standard input."""
BARE: Final = (
    "from pygls.lsp.server import LanguageServer\n"
    "import sys, asyncio\n"
    "server = LanguageServer('bare', '1')\n"
    "if sys.argv[1:]: server.start_io()\n"
)


def main(argv: list[str] | None = None) -> int:
    """Measure and print; 1 if a limit is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resources", description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=7, metavar="N", help="of each server (default %(default)s)")
    parser.add_argument("--windows", type=int, default=3, metavar="N", help="editors at once (default %(default)s)")
    parser.add_argument("--idle", type=float, default=5.0, metavar="S", help="seconds at rest (default %(default)g)")
    options = parser.parse_args(argv)
    console = Console()
    with folder_of_its_own() as folder:
        environment = environment_of(folder)
        ready_ms = start(console, options.starts, environment)
        memory_mb = rest(console, options.idle, environment)
        asyncio.run(windows(console, folder, options.windows, environment))
    kept = ready_ms <= IMPORT_LIMIT_MS and memory_mb <= MEMORY_LIMIT_MB
    console.print(f"limits: {IMPORT_LIMIT_MS} ms until ready, {MEMORY_LIMIT_MB} MB: {'kept' if kept else 'NOT KEPT'}")
    return 0 if kept else 1


@contextmanager
def folder_of_its_own() -> Iterator[Path]:
    """With a short path, as sockets want it."""
    folder = Path(tempfile.mkdtemp(prefix="ft-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def environment_of(folder: Path) -> dict[str, str]:
    """Of a person who has set nothing."""
    (folder / "config.toml").touch()
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("FORETYPE_")},
        "FORETYPE_CONFIG": str(folder / "config.toml"),
        "FORETYPE_RUNTIME_DIR": str(folder / "run"),
        "FORETYPE_STATE_DIR": str(folder / "state"),
    }


# Start.


def start(console: Console, starts: int, environment: dict[str, str]) -> float:
    """Print how long starts take; the median of our milliseconds until ready (CPU)."""
    ours, bare = [sys.executable, "-m", "lsp_server", "--stdio"], [sys.executable, "-c", BARE, "serve"]
    imports = {"foretype-lsp": [sys.executable, "-c", READY], "bare pygls": [sys.executable, "-c", BARE]}
    servers = {"foretype-lsp": ours, "bare pygls": bare}
    alone = {**environment, "FORETYPE_LOCAL_ENABLED": "0"}
    ready: dict[str, list[tuple[float, float]]] = {name: [] for name in servers}
    answered: dict[str, list[tuple[float, float]]] = {name: [] for name in servers}
    for _ in range(starts):
        for name in servers:
            ready[name].append(run(imports[name], alone))
            with session(servers[name], alone) as server:
                answered[name].append((server.answered_s, server.cpu_s()))
    table = Table(title=f"start, medians of {starts}, in milliseconds")
    for column in ("", "ready: wall", "CPU", "`initialize` answered: wall", "CPU"):
        table.add_column(column, justify="left" if not column else "right")
    for name in servers:
        table.add_row(name, *(f"{each:.0f}" for each in (*medians(ready[name]), *medians(answered[name]))))
    console.print(table)
    ratio = medians(ready["foretype-lsp"])[1] / medians(ready["bare pygls"])[1]
    console.print(f"CPU until ready: {ratio:.2f} times a server of pygls that does nothing")
    return medians(ready["foretype-lsp"])[1]


def medians(times: list[tuple[float, float]]) -> tuple[float, float]:
    """Of wall clock and CPU, in milliseconds."""
    wall, cpu = zip(*times, strict=True)
    return 1_000 * statistics.median(wall), 1_000 * statistics.median(cpu)


def run(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Run a command to its end; seconds of wall clock and of CPU."""
    before, began = os.times(), time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdin=subprocess.DEVNULL)
    took_s, after = time.perf_counter() - began, os.times()
    return took_s, (after.children_user + after.children_system) - (before.children_user + before.children_system)


class Session:
    """A server that was asked to `initialize`; `answered_s` later it had answered."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        began = time.perf_counter()
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.send({"id": 1, "method": "initialize", "params": {"processId": None, "rootUri": None, "capabilities": {}}})
        while self.receive().get("id") != 1:
            pass
        self.answered_s = time.perf_counter() - began

    def cpu_s(self) -> float:
        """Seconds of CPU so far."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def send(self, message: dict[str, Any]) -> None:
        """To the server."""
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """The next message of the server."""
        assert self.process.stdout is not None
        length = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        return message


@contextmanager
def session(command: list[str], environment: dict[str, str]) -> Iterator[Session]:
    """Started, and ended."""
    made = Session(command, environment)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.wait()


# Memory.


def rest(console: Console, idle_s: float, environment: dict[str, str]) -> float:
    """Print what the server takes at rest; its RSS in MB."""
    alone = {**environment, "FORETYPE_LOCAL_ENABLED": "0"}
    with session([sys.executable, "-m", "lsp_server", "--stdio"], alone) as server:
        document = {"uri": "file:///nowhere/sums.py", "languageId": "python", "version": 0, "text": CODE}
        server.send({"method": "initialized", "params": {}})
        server.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        before = server.cpu_s()
        time.sleep(idle_s)  # the subject: rest
        memory = psutil.Process(server.process.pid).memory_full_info()
        busy = (server.cpu_s() - before) / idle_s
    pss = getattr(memory, "pss", memory.uss)
    console.print(f"at rest: {memory.rss / MB:.0f} MB RSS, {pss / MB:.0f} MB PSS, {busy:.1%} of a core")
    return float(memory.rss) / MB


# Windows.


async def windows(console: Console, folder: Path, count: int, environment: dict[str, str]) -> None:
    """Print what `count` editors at once get, and the local worker that they share."""
    editors = [
        Editor((folder / f"window{number}.py").as_uri(), "python", Buffer(CODE, len(CODE))) for number in range(count)
    ]
    await asyncio.gather(*(editor.start(environment=environment) for editor in editors))
    workers: list[psutil.Process] = []
    try:
        await asyncio.gather(*(editor.until_state("local", PATIENCE_S) for editor in editors))
        times = await asyncio.gather(*(typed(editor) for editor in editors))
        workers = workers_of(folder)
        memory = ", ".join(f"{worker.memory_info().rss / MB:.0f} MB" for worker in workers)
    finally:
        await asyncio.gather(*(editor.stop() for editor in editors))
        for worker in workers or workers_of(folder):
            worker.terminate()
    table = Table(title=f"{count} editors at once: {len(workers)} local worker{'s' * (len(workers) != 1)}, {memory}")
    for column in ("window", "suggestions", "of them by the model", "median ms", "95th percentile", "slowest"):
        table.add_column(column, justify="right")
    for number, each in enumerate(times):
        waited = sorted(ms for ms, _ in each)
        generated = sum(source == "local" for _, source in each)
        middle, late = statistics.median(waited), waited[int(0.95 * (len(waited) - 1))]
        table.add_row(str(number), str(len(each)), str(generated), f"{middle:.0f}", f"{late:.0f}", f"{waited[-1]:.0f}")
    console.print(table)


async def typed(editor: Editor) -> list[tuple[float, str]]:
    """Type at a person's pace; milliseconds and source of each suggestion."""
    given = []
    for key in TYPED:
        request = editor.press(key)
        await asyncio.sleep(PACE_S)
        suggestion = await asyncio.wait_for(request, PATIENCE_S)
        if suggestion is not None:
            given.append((suggestion.latency_ms, suggestion.source))
    return given


def workers_of(folder: Path) -> list[psutil.Process]:
    """The local workers that were started from here."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "gpu_worker" in command and any(str(folder / "run") in part for part in command):
            found.append(process)
    return found


if __name__ == "__main__":
    sys.exit(main())
