"""Twice the load that the workers serve, in real time through real proxy processes: newest first and first come.

Both proxies run at once, each with a stand-in worker of the same timings, and get the same arrivals: what this machine
does to the one, it does to the other.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from benchmarks.edge.client import Asked, code
from benchmarks.edge.overload import OBJECTIVE, Outcome
from benchmarks.edge.sessions import PROMPT_CHARS, Bench, bench
from benchmarks.edge.stand_in import Timings

LIVE_TIMINGS: Final = Timings(first=0.03, between=0.008, chunks=8, slots=8)
"""93 requests a second, so that two proxies, workers and generator together leave two cores half idle at twice that."""
CLIENTS: Final = 100
SEED: Final = 1
ORDERS: Final = {
    "newest first, predicted misses shed": "edge_proxy",
    "first come, first served": "benchmarks.edge.first_come_proxy",
}
"""Name of each order, and the module that is run."""
MAX_BEHIND: Final = 0.02
"""Seconds that an arrival may be late; if the generator is further behind, the run says so."""


def arrivals(rate: float, seconds: float, seed: int) -> list[float]:
    """Poisson: seconds since the start, ascending."""
    draw = random.Random(seed)
    times: list[float] = []
    at = draw.expovariate(rate)
    while at < seconds:
        times.append(at)
        at += draw.expovariate(rate)
    return times


async def live_overload(factor: float, seconds: float, timings: Timings = LIVE_TIMINGS) -> tuple[list[Outcome], float]:
    """One outcome per order, and the share of arrivals that came late."""
    async with AsyncExitStack() as stack:
        benches = []
        for module in ORDERS.values():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            made = await stack.enter_async_context(bench(folder, timings, module=module))
            await made.connect(CLIENTS)
            benches.append(made)
        times = arrivals(factor * timings.capacity, seconds, SEED)
        asked, late = await _play(benches, times)
        for made in benches:
            await made.answered()
        return [
            _judge(name, made, ones, timings, seconds) for name, made, ones in zip(ORDERS, benches, asked, strict=True)
        ], late


async def _play(benches: Sequence[Bench], times: Sequence[float]) -> tuple[list[list[Asked]], float]:
    asked: list[list[Asked]] = [[] for _ in benches]
    late = 0
    begin = time.monotonic()
    for number, at in enumerate(times):
        wait = begin + at - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        elif wait < -MAX_BEHIND:
            late += 1
        context = code(PROMPT_CHARS, number)
        # A document of its own for every request: they compete, and none supersedes another.
        for made, ones in zip(benches, asked, strict=True):
            ones.append(made.clients[number % CLIENTS].ask(f"doc-{number // CLIENTS % 32}", context))
    return asked, late / len(times)


def _judge(name: str, made: Bench, asked: Sequence[Asked], timings: Timings, seconds: float) -> Outcome:
    chunks = timings.chunks
    good = sum(one.right(chunks) and one.ended - one.sent <= OBJECTIVE for one in asked)
    sheds = sorted(one.ended - one.sent for one in asked if one.reason == "shed")
    return Outcome(
        name=name,
        asked=len(asked),
        goodput=good / (timings.capacity * seconds),
        shed=len(sheds),
        shed_after=sheds[len(sheds) // 2] if sheds else 0.0,
        wasted=1.0 - good * chunks / max(1, made.worker.generated),
    )
