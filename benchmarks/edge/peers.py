"""The gateways of others, on the core that our proxy is measured on: how each is started, and its CPU time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

import psutil

from benchmarks.edge.cpu_time import cpu_seconds
from benchmarks.edge.http_client import ask_until
from benchmarks.edge.openai_stand_in import MODEL
from benchmarks.edge.proxy_process import proxy_core

PEERS_FOLDER: Final = Path(os.environ.get("FORETYPE_BENCH_PEERS", ".venv-peers"))
"""Where `scripts/setup_bench_edge.sh` put them, each with its own `bin`."""
START_SECONDS: Final = 60.0
"""litellm imports for twenty."""
LOOK_SECONDS: Final = 0.2


class MissingPeerError(Exception):
    """It is not installed, or does not start: the message says which."""


def command_of(name: str, port: int, metrics_port: int, backend: str, folder: Path) -> list[str]:
    """How to start peer `name` before the server at `backend`. Raises MissingPeerError if it is not known."""
    bin = (PEERS_FOLDER / name / "bin").absolute()
    address = ["--host", "127.0.0.1", "--port", str(port)]
    routing = ["--worker-urls", backend, "--policy", "round_robin", "--prometheus-port", str(metrics_port)]
    match name:
        case "vllm-router":
            return [str(bin / "vllm-router"), *address, *routing, "--log-level", "error"]
        case "sglang-router":
            launcher = [str(bin / "python"), "-m", "sglang_router.launch_router"]
            return [*launcher, *address, *routing, "--log-level", "error"]
        case "litellm":
            options = {"model": f"text-completion-openai/{MODEL}", "api_base": f"{backend}/v1", "api_key": "none"}
            config = folder / "litellm.yaml"  # JSON is YAML
            config.write_text(json.dumps({"model_list": [{"model_name": MODEL, "litellm_params": options}]}))
            return [str(bin / "litellm"), *address, "--config", str(config), "--num_workers", "1"]
    raise MissingPeerError(f"{name} is not known here.")


class Gateway:
    """A running one."""

    def __init__(self, pid: int, port: int) -> None:
        self._process: Final = psutil.Process(pid)
        self.port: Final = port

    def cpu_seconds(self) -> float:
        """User and system time so far, of it and its children."""
        processes = (self._process, *self._process.children(recursive=True))
        return sum(cpu_seconds(process.pid) for process in processes)


@contextlib.asynccontextmanager
async def gateway(name: str, backend_port: int, folder: Path) -> AsyncIterator[Gateway]:
    """Start peer `name` and wait until it answers a completion. Raises MissingPeerError if it does not."""
    port, metrics_port = _free_port(), _free_port()
    command = command_of(name, port, metrics_port, f"http://127.0.0.1:{backend_port}", folder)
    if not os.access(command[0], os.X_OK):
        raise MissingPeerError(f"{name} is not in {PEERS_FOLDER}: run scripts/setup_bench_edge.sh.")
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, preexec_fn=_on_proxy_core()
        )
    try:
        await _until_it_answers(name, process, port, log)
        yield Gateway(process.pid, port)
    finally:
        await _end(process)


def _on_proxy_core() -> object:
    core = proxy_core()
    return lambda: os.sched_setaffinity(0, {core})


async def _until_it_answers(name: str, process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.returncode is None:
        with contextlib.suppress(OSError):
            (client,) = await ask_until(port, 0.0, 1, lambda: "warm")
            if client.right:
                return
        await asyncio.sleep(LOOK_SECONDS)
    raise MissingPeerError(f"{name} does not answer: {_last_lines(log)}")


def _last_lines(log: Path) -> str:
    return " / ".join(log.read_text(errors="replace").strip().splitlines()[-3:])


async def _end(process: asyncio.subprocess.Process) -> None:
    children: Sequence[psutil.Process] = ()
    with contextlib.suppress(psutil.NoSuchProcess):
        children = psutil.Process(process.pid).children(recursive=True)
    if process.returncode is None:
        process.kill()
    await process.wait()
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
