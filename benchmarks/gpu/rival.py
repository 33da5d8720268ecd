"""Plain vLLM: `vllm serve`, behind vllm-router where that is installed, asked over HTTP for the same scripts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec

from benchmarks.errors import BenchError
from benchmarks.gpu.score import Outcome
from benchmarks.gpu.typists import Moment
from benchmarks.worker.processes import LOG_TAIL, START_S, STOP_S
from gpu_worker.fim import Parts, family_named, render
from lsp_server.demo.programs import free_port

FAMILY: Final = family_named("qwen")
SERVER: Final = ("-m", "vllm.entrypoints.openai.api_server")
"""What `vllm serve` runs; the command itself looks for a package named vllm, which the builds for CPUs are not."""
GIVE_UP_S: Final = 2.0


def router() -> str | None:
    """The command vllm-router, if it is installed."""
    return shutil.which("vllm-router")


@contextlib.asynccontextmanager
async def served(
    model: Path, python: Path, arguments: Mapping[str, Any], environment: Mapping[str, str], folder: Path
) -> AsyncIterator[str]:
    """A URL that answers /v1/completions: the router's if there is one, else vLLM's own. Raises BenchError."""
    port = free_port()
    flags: list[str] = []
    for key, value in arguments.items():
        name = f"--{key.replace('_', '-')}"
        if isinstance(value, bool):
            flags += [name] if value else [f"--no-{key.replace('_', '-')}"]
        else:
            flags += [name, msgspec.json.encode(value).decode() if isinstance(value, dict) else str(value)]
    backend = f"http://127.0.0.1:{port}"
    async with _running(
        [str(python), *SERVER, "--model", str(model), "--port", str(port), *flags],
        backend,
        environment,
        folder / "vllm.log",
    ):
        command = router()
        if command is None:
            yield backend
            return
        front = free_port()
        url = f"http://127.0.0.1:{front}"
        routed = [command, "--worker-urls", backend, "--policy", "cache_aware", "--port", str(front)]
        async with _running(routed, url, environment, folder / "router.log"):
            yield url


@contextlib.asynccontextmanager
async def _running(command: Sequence[str], url: str, environment: Mapping[str, str], log: Path) -> AsyncIterator[None]:
    with log.open("wb") as output:
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdout=output, stderr=output, env={**os.environ, **environment}, start_new_session=True
            )
        except OSError as error:
            raise BenchError(f"{command[0]} cannot be started: {error.strerror}.") from None
    try:
        async with aiohttp.ClientSession() as http, asyncio.timeout(START_S):
            while not await _healthy(http, url):
                if process.returncode is not None:
                    text = await asyncio.to_thread(log.read_text, errors="replace")
                    raise BenchError(f"{command[0]} does not start: {text[-LOG_TAIL:].strip()}")
                await asyncio.sleep(0.5)
        yield
    except TimeoutError:
        raise BenchError(f"{command[0]} was not ready within {START_S:.0f} s.") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _healthy(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(f"{url}/health") as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


async def play(
    url: str, model: Path, scripts: Sequence[Sequence[Moment]], max_tokens: int
) -> tuple[list[Outcome], float]:
    """As `ours.play`; a request that a later key replaces has its connection closed, which vLLM takes as an abort."""
    late: list[float] = []
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:
        begin = time.monotonic()
        mine = await asyncio.gather(*(_type(http, url, model, moments, begin, max_tokens, late) for moments in scripts))
    late.sort()
    return [outcome for outcomes in mine for outcome in outcomes], late[int(len(late) * 0.99)] * 1_000 if late else 0.0


async def _type(
    http: aiohttp.ClientSession,
    url: str,
    model: Path,
    moments: Sequence[Moment],
    begin: float,
    max_tokens: int,
    late: list[float],
) -> list[Outcome]:
    tasks: list[asyncio.Task[Outcome]] = []
    for moment in moments:
        await asyncio.sleep(max(0.0, begin + moment.at - time.monotonic()))
        late.append(time.monotonic() - begin - moment.at)
        if tasks:
            tasks[-1].cancel()
        tasks.append(asyncio.create_task(_ask(http, url, model, moment, begin, max_tokens)))
    return list(await asyncio.gather(*tasks))


async def _ask(
    http: aiohttp.ClientSession, url: str, model: Path, moment: Moment, begin: float, max_tokens: int
) -> Outcome:
    context = moment.context
    parts = Parts(before=context.before, after=context.after, typed=context.typed, path=context.path)
    body = {
        "model": str(model),
        "prompt": render(parts, FAMILY),
        "max_tokens": max_tokens,
        "temperature": 0,
        "stream": True,
    }
    sent, first, tokens, reason = time.monotonic(), 0.0, 0, "error"
    try:
        async with asyncio.timeout(GIVE_UP_S), http.post(f"{url}/v1/completions", json=body) as response:
            async for line in response.content:
                if not line.startswith(b"data: {"):
                    continue
                first = first or time.monotonic()
                tokens += 1
                reason = "length"
    except asyncio.CancelledError:
        reason = "cancelled"
    except TimeoutError:
        reason = "shed"
    except aiohttp.ClientError:
        reason = "error"
    return Outcome(sent - begin, first and first - begin, time.monotonic() - begin, tokens, reason)
