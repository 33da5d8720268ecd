"""Many sessions through a real proxy process: added time to first token, order, memory, CPU time, cancel latency."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.edge.client import Asked, Client, code
from benchmarks.edge.proxy_process import Proxy, proxy
from benchmarks.edge.raw_socket import RawSocket
from benchmarks.edge.secured import TOKEN, secure
from benchmarks.edge.stand_in import StandInWorker, Timings
from wire_protocol.frames import Context

PERIOD: Final = 5.0
"""Seconds between two completions of one session."""
PROMPT_CHARS: Final = 1_500
DOCUMENT_CHARS: Final = 6_000
DOCUMENTS: Final = 3
SETTLE_SECONDS: Final = 1.0
LOST_SECONDS: Final = 8.0
"""What has no end so long after the last end of another is lost: every request is given up after two."""
CONNECTING_AT_ONCE: Final = 50
DIRECT_SECONDS: Final = 5.0
DIRECT_SESSIONS: Final = 1_000
"""Enough that each answer has a socket of its own, as with the proxy."""
CANCEL_SECONDS: Final = 0.01
"""The proxy answers a cancel at once; what has not reached the worker this much later came after its end."""
PATIENCE: Final = 60.0
"""Seconds after which whatever is waited for will not come."""


async def until(condition: Callable[[], bool]) -> None:
    """Look every millisecond: an event of its own would cost the generator more than looking."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.001)


async def connected(
    host: str,
    port: int,
    count: int,
    finished: Callable[[Asked], None],
    tls: ssl.SSLContext | None = None,
    token: str = "",
) -> list[Client]:
    """`count` sessions that have said hello."""
    loop = asyncio.get_running_loop()
    clients: list[Client] = []
    for start in range(0, count, CONNECTING_AT_ONCE):
        made = await asyncio.gather(
            *(
                loop.create_connection(lambda: RawSocket(server=False), host, port, ssl=tls)
                for _ in range(min(CONNECTING_AT_ONCE, count - start))
            )
        )
        for _, raw in made:
            await raw.opened
            clients.append(Client(raw, finished))
            clients[-1].hello(token)
    await until(lambda: all(client.welcomed for client in clients))
    return clients


@dataclass(slots=True)
class Bench:
    """A proxy process, a stand-in worker, and clients."""

    proxy: Proxy
    worker: StandInWorker
    tls: ssl.SSLContext | None = None
    token: str = ""
    clients: list[Client] = field(default_factory=list)
    done: list[Asked] = field(default_factory=list)
    arrivals: dict[str, float] = field(default_factory=dict)
    """When the worker got each request, by its trace."""

    async def connect(self, count: int) -> None:
        """`count` more sessions that have said hello."""
        self.clients += await connected(self.proxy.host, self.proxy.port, count, self.done.append, self.tls, self.token)

    async def answered(self, asked: Sequence[Asked] | None = None) -> None:
        """Until nothing is live, or of what was `asked`, or nothing more has come for `LOST_SECONDS`."""
        last, quiet = -1, 0.0
        while quiet < LOST_SECONDS and (
            any(client.live for client in self.clients) if asked is None else not all(one.ended for one in asked)
        ):
            quiet = quiet + SETTLE_SECONDS if last == len(self.done) else 0.0
            last = len(self.done)
            await asyncio.sleep(SETTLE_SECONDS)


@asynccontextmanager
async def bench(
    folder: Path, timings: Timings, *arguments: str, secured: bool = False, module: str = "edge_proxy"
) -> AsyncIterator[Bench]:
    """Everything started, and stopped at the end; `secured` by TLS and a token."""
    worker = StandInWorker(timings)
    path = str(folder / "worker.sock")
    await worker.start(path)
    flags = ["--listen", "127.0.0.1:0", "--worker", f"unix:{path}", "--log-level", "warning", *arguments]
    tls, token = None, ""
    if secured:
        made_here = secure(folder)
        tls, token = made_here.client, TOKEN
        flags += made_here.flags
    try:
        async with proxy(flags, module) as running:
            made = Bench(running, worker, tls, token)

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
    direct: list[float]
    """The same without a proxy: the generator's own part of it."""
    cpu: float
    """Of the proxy per completion."""
    proxy_share: float
    """Of its core that the proxy used."""
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
    direct = await _without_proxy(bench, rate, min(seconds, DIRECT_SECONDS))
    cpu, mine, begin = bench.proxy.cpu_seconds(), time.process_time(), time.monotonic()
    asked = await pace(bench.clients, rate, seconds)
    took = time.monotonic() - begin
    await bench.answered(asked)
    cpu, mine = bench.proxy.cpu_seconds() - cpu, time.process_time() - mine
    chunks = bench.worker.timings.chunks
    return Load(
        sessions=sessions,
        asked=len(asked),
        right=sum(one.right(chunks) for one in asked),
        lost=sum(not one.ended for one in asked),
        disordered=sum(not one.order for one in asked),
        faults=sum(len(client.faults) for client in bench.clients),
        added=added(bench, asked),
        direct=direct,
        cpu=cpu / max(1, len(asked)),
        proxy_share=cpu / took,
        generator_share=mine / took,
        idle_bytes=(idle - empty) / sessions,
        document_bytes=(full - empty) / sessions,
    )


async def pace(clients: list[Client], rate: float, seconds: float, mark: str = "") -> list[Asked]:
    """`rate` completions a second, each client in its turn; `mark` keeps traces apart."""
    begin = time.monotonic()
    asked: list[Asked] = []
    while (passed := time.monotonic() - begin) < seconds:
        while len(asked) < passed * rate:
            number = len(asked) % len(clients)
            base = code(PROMPT_CHARS, number)
            context = Context(before=base.before, typed=f"    r{mark}{len(asked)}", after=base.after, path=base.path)
            asked.append(clients[number].ask("typed", context, trace=f"{mark}{len(asked)}"))
        await asyncio.sleep(0.001)
    return asked


async def _without_proxy(bench: Bench, rate: float, seconds: float) -> list[float]:
    """What `added` says of the same load where the clients talk to the stand-in themselves."""
    port = await bench.worker.start_tcp()
    clients = await connected("127.0.0.1", port, min(len(bench.clients), DIRECT_SESSIONS), bench.done.append)
    asked = await pace(clients, rate, seconds, "direct-")
    await until(lambda: all(one.ended for one in asked))
    for client in clients:
        client.close()
    bench.done.clear()
    return added(bench, asked)


def added(bench: Bench, asked: list[Asked]) -> list[float]:
    """On the way to the worker and back, ascending; the worker's own time is measured there, on the same clock."""
    arrived, spoke = bench.arrivals, bench.worker.spoke
    return sorted(
        (arrived[one.trace] - one.sent) + (one.first - spoke[one.trace])
        for one in asked
        if one.first and one.trace in arrived
    )


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
