"""Foretype's own path under load: real sessions, a real proxy, a real worker with vLLM."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgpack

from benchmarks.edge.client import Asked, Client
from benchmarks.edge.sessions import connected
from benchmarks.gpu.score import Outcome
from benchmarks.gpu.typists import Moment
from benchmarks.worker.processes import program

PATIENCE_S: Final = 10.0
"""For what is still open when the typists have stopped."""
GIVE_UP_MS: Final = 2_000


@contextlib.asynccontextmanager
async def path(
    model: Path,
    preset: str,
    vllm: Mapping[str, Any],
    worker_python: Path,
    proxy_python: Path,
    environment: Mapping[str, str],
) -> AsyncIterator[tuple[str, int]]:
    """Worker and proxy; yields the proxy's host and port. Raises BenchError."""
    with tempfile.TemporaryDirectory(prefix="ft-") as folder:
        settings = Path(folder) / "worker.toml"
        lines = [f"{key} = {toml(value)}" for key, value in vllm.items()]
        worker = f"unix:{folder}/worker.sock"
        settings.write_text(
            f'[worker]\nmodel = {json.dumps(str(model))}\npreset = "{preset}"\n[vllm]\n' + "\n".join(lines) + "\n",
            encoding="utf-8",
        )
        arguments = ["--engine", "vllm", "--engine-config", str(settings), "--listen", worker]
        async with (
            program(worker_python, "gpu_worker", arguments, Path(folder) / "worker.log", environment),
            program(
                proxy_python,
                "edge_proxy",
                ["--listen", "127.0.0.1:0", "--worker", worker, "--log-level", "warning"],
                Path(folder) / "proxy.log",
            ) as address,
        ):
            host, _, port = address.rpartition("://")[2].rpartition(":")
            yield host, int(port)


async def play(
    host: str, port: int, scripts: Sequence[Sequence[Moment]], max_tokens: int
) -> tuple[list[Outcome], float]:
    """All scripts at once; what became of each request, and by how much (p99, ms) the generator itself was late."""
    tokens: dict[tuple[int, int], int] = {}
    clients = await connected(host, port, len(scripts), lambda _: None)
    for number, client in enumerate(clients):
        _count_tokens(client, number, tokens)
    begin = time.monotonic()
    late: list[float] = []
    all_asked = await asyncio.gather(
        *(_type(client, moments, begin, max_tokens, late) for client, moments in zip(clients, scripts, strict=True))
    )
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            while any(client.live for client in clients):  # noqa: ASYNC110 - it costs less than an event a request
                await asyncio.sleep(0.01)
    for client in clients:
        client.close()
    outcomes = [
        Outcome(
            sent=asked.sent - begin,
            first=asked.first and asked.first - begin,
            ended=asked.ended and asked.ended - begin,
            tokens=tokens.get((number, asked.id), 0),
            reason=asked.reason,
        )
        for number, mine in enumerate(all_asked)
        for asked in mine
    ]
    late.sort()
    return outcomes, late[int(len(late) * 0.99)] * 1_000 if late else 0.0


async def _type(
    client: Client, moments: Sequence[Moment], begin: float, max_tokens: int, late: list[float]
) -> list[Asked]:
    asked: list[Asked] = []
    for moment in moments:
        await asyncio.sleep(max(0.0, begin + moment.at - time.monotonic()))
        late.append(time.monotonic() - begin - moment.at)
        asked.append(
            client.ask(
                "doc",
                moment.context,
                max_tokens=max_tokens,
                lines="multi",
                supersedes=[before.id for before in asked[-2:] if before.id in client.live],
                give_up_ms=GIVE_UP_MS,
            )
        )
    return asked


def _count_tokens(client: Client, number: int, tokens: dict[tuple[int, int], int]) -> None:
    """Note what each `done` says of its answer's tokens, then let the client have it."""
    take = client._raw.on_message

    def receive(payload: bytes) -> None:
        frame = msgpack.unpackb(payload)
        if frame["type"] == "done":
            tokens[number, frame["id"]] = frame.get("usage", {}).get("generated_tokens", 0)
        take(payload)

    client._raw.on_message = receive


def toml(value: Any) -> str:
    """A value of a settings file: JSON's notation is TOML's, but for tables."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)
