"""Many sessions through a real proxy process: added time to first token, order, memory, CPU time, cancel latency."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.edge.client import Asked, Client, code
from benchmarks.edge.proxy_process import Proxy, proxy
from benchmarks.edge.raw_socket import RawSocket
from benchmarks.edge.stand_in import StandInWorker, Timings
from wire_protocol.frames import Context

PERIOD: Final = 5.0
"""Seconds between two completions of one session."""
PROMPT_CHARS: Final = 1_500
DOCUMENT_CHARS: Final = 6_000
DOCUMENTS: Final = 3
SETTLE_SECONDS: Final = 1.0
CONNECTING_AT_ONCE: Final = 50
CANCEL_SECONDS: Final = 0.01
"""The proxy answers a cancel at once; what has not reached the worker this much later came after its end."""
PATIENCE: Final = 60.0
"""Seconds after which whatever is waited for will not come."""


async def until(condition: Callable[[], bool]) -> None:
    """Look every millisecond: an event of its own would cost the generator more than looking."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.001)


@dataclass(slots=True)
class Bench:
    """A proxy process, a stand-in worker, and clients."""

    proxy: Proxy
    worker: StandInWorker
    clients: list[Client] = field(default_factory=list)
    done: list[Asked] = field(default_factory=list)
    arrivals: dict[str, float] = field(default_factory=dict)
    """When the worker got each request, by its trace."""

    async def connect(self, count: int) -> None:
        """`count` more sessions that have said hello."""
        loop = asyncio.get_running_loop()
        for start in range(0, count, CONNECTING_AT_ONCE):
            made = await asyncio.gather(
                *(
                    loop.create_connection(lambda: RawSocket(server=False), self.proxy.host, self.proxy.port)
                    for _ in range(min(CONNECTING_AT_ONCE, count - start))
                )
            )
            for _, raw in made:
                await raw.opened
                client = Client(raw, self.done.append)
                client.hello()
                self.clients.append(client)
        await until(lambda: all(client.welcomed for client in self.clients))

    async def answered(self) -> None:
        """Until nothing is live, or nothing more comes for a second."""
        last = -1
        while any(client.live for client in self.clients) and last != len(self.done):
            last = len(self.done)
            await asyncio.sleep(SETTLE_SECONDS)


@asynccontextmanager
async def bench(folder: Path, timings: Timings, *arguments: str, module: str = "edge_proxy") -> AsyncIterator[Bench]:
    """Everything started, and stopped at the end."""
    worker = StandInWorker(timings)
    path = str(folder / "worker.sock")
    await worker.start(path)
    flags = ["--listen", "127.0.0.1:0", "--worker", f"unix:{path}", "--log-level", "warning", *arguments]
    try:
        async with proxy(flags, module) as running:
            made = Bench(running, worker)

            def arrived(submit: dict[str, Any]) -> None:
                made.arrivals[submit.get("trace", "")] = time.monotonic()

            worker.on_submit = arrived
            await until(lambda: worker.connected)
            await asyncio.sleep(SETTLE_SECONDS)
            try:
                yield made
            finally:
                for client in made.clients:
                    client.close()
    finally:
        worker.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Seconds, bytes and counts of one run."""

    sessions: int
    asked: int
    right: int
    lost: int
    disordered: int
    faults: int
    added: list[float]
    """Time to first token beyond what the worker took, per request, ascending."""
    cpu: float
    """Of the proxy per completion."""
    generator_share: float
    """Of its core that the load generator used: near 1 it measures itself."""
    idle_bytes: float
    document_bytes: float


async def steady(bench: Bench, sessions: int, seconds: float) -> Load:
    """`sessions` connect and idle, open their documents, then complete once in `PERIOD` each for `seconds`."""
    empty = bench.proxy.resident_bytes()
    await bench.connect(sessions)
    await asyncio.sleep(SETTLE_SECONDS)
    idle = bench.proxy.resident_bytes()
    rate = sessions / PERIOD
    for document in range(DOCUMENTS):
        for number, client in enumerate(bench.clients):
            client.ask(f"big-{document}", code(DOCUMENT_CHARS, number * DOCUMENTS + document), trace="warm")
            if number % CONNECTING_AT_ONCE == 0:
                await asyncio.sleep(CONNECTING_AT_ONCE / (2 * rate))
        await bench.answered()
    full = bench.proxy.resident_bytes()
    bench.done.clear()
    cpu, mine, begin = bench.proxy.cpu_seconds(), time.process_time(), time.monotonic()
    asked = await _pace(bench, rate, seconds)
    took = time.monotonic() - begin
    await bench.answered()
    cpu, mine = bench.proxy.cpu_seconds() - cpu, time.process_time() - mine
    chunks = bench.worker.timings.chunks
    return Load(
        sessions=sessions,
        asked=len(asked),
        right=sum(one.right(chunks) for one in asked),
        lost=sum(not one.ended for one in asked),
        disordered=sum(not one.order for one in asked),
        faults=sum(len(client.faults) for client in bench.clients),
        added=sorted(_added(bench, one) for one in asked if one.first and one.trace in bench.arrivals),
        cpu=cpu / max(1, len(asked)),
        generator_share=mine / took,
        idle_bytes=(idle - empty) / sessions,
        document_bytes=(full - empty) / sessions,
    )


async def _pace(bench: Bench, rate: float, seconds: float) -> list[Asked]:
    begin = time.monotonic()
    asked: list[Asked] = []
    while (passed := time.monotonic() - begin) < seconds:
        while len(asked) < passed * rate:
            number = len(asked) % len(bench.clients)
            base = code(PROMPT_CHARS, number)
            context = Context(before=base.before, typed=f"    r{len(asked)}", after=base.after, path=base.path)
            asked.append(bench.clients[number].ask("typed", context, trace=str(len(asked))))
        await asyncio.sleep(0.001)
    return asked


def _added(bench: Bench, asked: Asked) -> float:
    """On the way to the worker and back; the worker's own time is measured there, on the same clock."""
    return (bench.arrivals[asked.trace] - asked.sent) + (asked.first - bench.worker.spoke[asked.trace])


async def cancels(bench: Bench, count: int) -> list[float]:
    """Seconds from a client's cancel to the worker's receipt, ascending."""
    took = [await _cancel(bench, number) for number in range(count)]
    return sorted(seconds for seconds in took if seconds is not None)


async def _cancel(bench: Bench, number: int) -> float | None:
    client, trace = bench.clients[0], f"cancel-{number}"
    asked = client.ask(f"doc-{number % 16}", code(PROMPT_CHARS, 10_000_000 + number), trace=trace)
    await until(lambda: trace in bench.arrivals)
    sent = time.monotonic()
    client.cancel([asked.id])
    await until(lambda: bool(asked.ended))
    await asyncio.sleep(CANCEL_SECONDS)
    came = bench.worker.cancelled_at.get(trace)
    return None if came is None else came - sent
