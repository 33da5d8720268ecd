"""kill -9 of one of three workers under load, and of one of two proxies that hold a thousand clients."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.edge.client import Asked, Client, code
from benchmarks.edge.proxy_process import Proxy, proxy
from benchmarks.edge.sessions import PROMPT_CHARS, connected, pace, until
from benchmarks.edge.stand_in import CHUNKS, StandInWorker, Timings
from benchmarks.edge.worker_process import worker_process
from lsp_server.sources.connection import FIRST_WAIT_S, LONGEST_WAIT_S
from wire_protocol.backoff import Backoff

WORKERS: Final = 3
SLOTS: Final = 256
CHUNKS_SAID: Final = Timings().chunks
QUIET: Final = ("--log-level", "error")
SEED: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLoss:
    """What became of everything asked around the loss; seconds from the request to its end, ascending."""

    sessions: int
    sessions_lost: int
    asked: int
    wrong: int
    """Answers that were not whole and in order: something lost, repeated, or another text."""
    shed: int
    affected: list[float]
    """Of requests under way when the worker was killed."""
    others: list[float]


async def kill_a_worker(folder: Path, sessions: int, rate: float, seconds: float) -> WorkerLoss:
    """One of three workers is killed in the middle of `seconds` of load."""
    async with AsyncExitStack() as stack:
        paths = [str(folder / f"worker-{number}.sock") for number in range(WORKERS)]
        workers = [await stack.enter_async_context(worker_process(path, SLOTS)) for path in paths]
        flags = [flag for path in paths for flag in ("--worker", f"unix:{path}")]
        running = await stack.enter_async_context(proxy(["--listen", "127.0.0.1:0", *flags, *QUIET]))
        done: list[Asked] = []
        clients = await connected(running.host, running.port, sessions, done.append)
        await _serving(clients[0], WORKERS)
        killed_at = 0.0

        async def kill() -> None:
            nonlocal killed_at
            await asyncio.sleep(seconds / 2)
            workers[0].kill()
            killed_at = time.monotonic()

        killing = asyncio.create_task(kill())
        asked = await pace(clients, rate, seconds)
        await killing
        await until(lambda: all(one.ended for one in asked) or _dropped(clients) > 0)
        dropped = _dropped(clients)
        for client in clients:
            client.close()
    under_way = {one for one in asked if one.sent <= killed_at <= one.ended}
    return WorkerLoss(
        sessions=sessions,
        sessions_lost=dropped,
        asked=len(asked),
        wrong=sum(len(client.faults) for client in clients)
        + sum(one.reason != "shed" and not one.right(CHUNKS_SAID) for one in asked),
        shed=sum(one.reason == "shed" for one in asked),
        affected=sorted(one.ended - one.sent for one in under_way),
        others=sorted(one.ended - one.sent for one in asked if one not in under_way),
    )


def _dropped(clients: list[Client]) -> int:
    return sum(client.closed for client in clients)


async def _serving(client: Client, workers: int) -> None:
    """Until as many documents in a row as make it likely that all workers take requests are answered."""
    rights = 0
    while rights < 4 * workers:
        asked = client.ask(f"probe-{rights}", code(PROMPT_CHARS, rights), trace="probe")
        await until(lambda asked=asked: bool(asked.ended))
        rights = rights + 1 if asked.right(CHUNKS_SAID) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyLoss:
    """Seconds from the kill until each client that was on the killed proxy has text from the other, ascending."""

    clients: int
    moved: list[float]
    connected: list[float]
    """Seconds from the kill to each welcome: how the reconnects are spread."""
    lost: int


async def kill_a_proxy(folder: Path, clients: int) -> ProxyLoss:
    """All clients are on one of two proxies, which is killed; each comes back as the language server does."""
    worker = StandInWorker(Timings(slots=4 * SLOTS))
    path = str(folder / "shared.sock")
    await worker.start(path)
    draw = random.Random(SEED).random
    flags = ["--listen", "127.0.0.1:0", "--worker", f"unix:{path}", *QUIET]
    try:
        async with proxy(flags) as first, proxy(flags) as second:
            made = await connected(first.host, first.port, clients, lambda asked: None)
            await _serving(made[0], 1)
            closed = [asyncio.get_running_loop().create_future() for _ in made]
            for client, future in zip(made, closed, strict=True):
                client.on_close(lambda future=future: future.done() or future.set_result(None))
            tasks = [
                asyncio.create_task(_come_back(future, second, number, draw)) for number, future in enumerate(closed)
            ]
            killed_at = time.monotonic()
            first.kill()
            times = await asyncio.gather(*tasks)
    finally:
        worker.stop()
    answered = [text - killed_at for _, text in times if text]
    return ProxyLoss(
        clients=clients,
        moved=sorted(answered),
        connected=sorted(welcome - killed_at for welcome, _ in times),
        lost=clients - len(answered),
    )


async def _come_back(
    closed: asyncio.Future[None], other: Proxy, number: int, draw: Callable[[], float]
) -> tuple[float, float]:
    """When it was welcomed, and when the first text came, on the monotonic clock."""
    backoff = Backoff(draw, FIRST_WAIT_S, LONGEST_WAIT_S)
    await closed
    await asyncio.sleep(backoff.next_s())
    (client,) = await connected(other.host, other.port, 1, lambda asked: None)
    welcome = time.monotonic()
    asked = client.ask("doc", code(PROMPT_CHARS, number), trace=f"back-{number}")
    await until(lambda: bool(asked.ended))
    client.close()
    return welcome, asked.first if asked.text == "".join(CHUNKS[:CHUNKS_SAID]) else 0.0
