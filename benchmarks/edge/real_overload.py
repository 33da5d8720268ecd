"""Twice the load that a real worker serves: llama.cpp with the starter model, on a core of its own.

A worker has its machine to itself; on shared cores each arrival at the proxy would stop one of its threads, and the
others would wait for that one. What the worker serves is measured first and last, with as many requests at once as it
takes, and the larger number counts. In between two proxies, newest first and first come, take turns before the same
worker process; every prompt is used once. An answer counts if it is whole within 200 ms; afterwards some are asked for
again, alone, to see whether the load changed what was said.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.edge.client import Asked, Client
from benchmarks.edge.live_overload import ORDERS, arrivals
from benchmarks.edge.overload import OBJECTIVE
from benchmarks.edge.proxy_process import proxy
from benchmarks.edge.raw_socket import RawSocket
from benchmarks.edge.sessions import PATIENCE, SETTLE_SECONDS, until
from lsp_server.demo.programs import Program
from wire_protocol.frames import Context

CLIENTS: Final = 8
MAX_TOKENS: Final = 4
"""And prompts of some 60 tokens: more would not be whole within 200 ms on two cores even alone."""
FIT_SECONDS: Final = 5.0
"""For which the capacity is measured."""
AT_ONCE: Final = 8
"""Requests that are kept going meanwhile: twice the worker's slots."""
TURNS: Final = 2
"""Of each order, one after the other in turn."""
CHECKED: Final = 40
DRAIN_SECONDS: Final = 3.0
"""After a turn: longer than anything may wait."""


@dataclass(slots=True)
class RealOutcome:
    """Shares are of the measured capacity."""

    name: str
    asked: int = 0
    good: int = 0
    shed: int = 0
    seconds: float = 0.0
    shed_after: list[float] = field(default_factory=list)
    checked: int = 0
    """Answers that were asked for again, alone."""
    other_text: int = 0
    """Those of them that said something else then."""


@dataclass(frozen=True, slots=True)
class RealOverload:
    """`capacity`: whole answers a second, the larger of both measurements; `rate`: what was asked for a second."""

    capacity: float
    rate: float
    alone: float
    """Median seconds of one request alone."""
    outcomes: list[RealOutcome]


def prompts() -> Iterator[Context]:
    """Small contexts, each another one from its first line on."""
    for number in itertools.count():
        loop = "    result = 0\n    for value in values:\n"
        head = f"# file {number}\nimport os\n\n\ndef total_{number}(values):\n{loop}"
        after = "\n    return result\n"
        yield Context(before=head, typed="        result ", after=after, path="a.py", language="python")


class _Person(Client):
    """A client that can be waited for; looking again and again would cost what is measured."""

    def __init__(self, raw: RawSocket) -> None:
        super().__init__(raw, self._came)
        self._awaited: dict[int, asyncio.Future[None]] = {}

    async def ended(self, asked: Asked) -> None:
        """Until this request of its own has ended."""
        if not asked.ended:
            future = self._awaited[asked.id] = asyncio.get_running_loop().create_future()
            await asyncio.wait_for(future, PATIENCE)

    def _came(self, asked: Asked) -> None:
        future = self._awaited.pop(asked.id, None)
        if future is not None:
            future.set_result(None)


async def real_overload(factor: float, seconds: float) -> RealOverload:
    """`seconds` of each order."""
    outcomes = [RealOutcome(name) for name in ORDERS]
    contexts = prompts()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        socket = f"unix:{folder / 'worker.sock'}"
        arguments = ["--engine", "llama", "--model", "starter", "--threads", "1", "--listen", socket]
        worker = Program("gpu_worker", arguments, folder / "worker.log", {"FORETYPE_STATE_DIR": str(folder)})
        await _start_on_last_core(worker)
        try:
            async with _clients(socket, "edge_proxy") as clients:
                capacity = await _capacity(clients, contexts)
                alone = sorted([(await _one(clients[0], contexts)) for _ in range(20)])[10]
            for turn in range(TURNS):
                for outcome, module in zip(outcomes, ORDERS.values(), strict=True):
                    async with _clients(socket, module) as clients:
                        await _turn(outcome, clients, contexts, factor * capacity, seconds / TURNS, turn)
            async with _clients(socket, "edge_proxy") as clients:
                after = await _capacity(clients, contexts)
            return RealOverload(max(capacity, after), factor * capacity, alone, outcomes)
        finally:
            await worker.stop()


async def _start_on_last_core(worker: Program) -> None:
    """A process has the cores of who starts it. Proxy and clients keep to the others while it computes."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        await worker.start()
    finally:
        os.sched_setaffinity(0, cores)


@asynccontextmanager
async def _clients(socket: str, module: str) -> AsyncIterator[list[_Person]]:
    flags = ["--listen", "127.0.0.1:0", "--worker", socket, "--log-level", "warning"]
    async with proxy(flags, module) as running:
        loop = asyncio.get_running_loop()
        clients: list[_Person] = []
        for _ in range(CLIENTS):
            _, raw = await loop.create_connection(lambda: RawSocket(server=False), running.host, running.port)
            await raw.opened
            clients.append(_Person(raw))
            clients[-1].hello()
        await until(lambda: all(client.welcomed for client in clients))
        await asyncio.sleep(SETTLE_SECONDS)
        yield clients
        for client in clients:
            client.close()


def _ask(client: _Person, context: Context, number: int) -> Asked:
    return client.ask(f"doc-{number}", context, max_tokens=MAX_TOKENS)


async def _one(client: _Person, contexts: Iterator[Context]) -> float:
    asked = _ask(client, next(contexts), 0)
    await client.ended(asked)
    return asked.ended - asked.sent


async def _capacity(clients: list[_Person], contexts: Iterator[Context]) -> float:
    done = 0
    end = time.monotonic() + FIT_SECONDS

    async def keep_going(number: int) -> None:
        nonlocal done
        while time.monotonic() < end:
            client = clients[number % CLIENTS]
            asked = _ask(client, next(contexts), number)
            await client.ended(asked)
            done += asked.reason in {"stop", "length"} and asked.ended < end

    await asyncio.gather(*(keep_going(number) for number in range(AT_ONCE)))
    return done / FIT_SECONDS


async def _turn(
    outcome: RealOutcome, clients: list[_Person], contexts: Iterator[Context], rate: float, seconds: float, seed: int
) -> None:
    asked: list[tuple[Context, Asked]] = []
    begin = time.monotonic()
    for number, at in enumerate(arrivals(rate, seconds, seed)):
        await asyncio.sleep(max(0.0, begin + at - time.monotonic()))
        context = next(contexts)
        asked.append((context, _ask(clients[number % CLIENTS], context, number // CLIENTS % 32)))
    await asyncio.sleep(DRAIN_SECONDS)
    good = [one for one in asked if _is_good(one[1])]
    outcome.asked += len(asked)
    outcome.good += len(good)
    outcome.seconds += seconds
    sheds = [one.ended - one.sent for _, one in asked if one.reason == "shed"]
    outcome.shed += len(sheds)
    outcome.shed_after += sheds
    for context, one in random.Random(seed).sample(good, min(len(good), CHECKED // TURNS)):
        # Another session and another path: neither the cache nor the first answer's own generation is met.
        again = _ask(clients[-1], Context(**{**_fields(context), "path": "b.py"}), 99)
        await clients[-1].ended(again)
        outcome.checked += 1
        outcome.other_text += again.text != one.text


def _fields(context: Context) -> dict[str, str]:
    return {name: getattr(context, name) for name in ("before", "typed", "tail", "after", "language")}


def _is_good(asked: Asked) -> bool:
    return asked.order and asked.reason in {"stop", "length"} and asked.ended - asked.sent <= OBJECTIVE
