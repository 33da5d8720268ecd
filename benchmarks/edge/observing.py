"""What metrics, costs, traces, tokens and quotas add to the CPU of a completion: `python -m benchmarks.edge.observing`.

Proxies that differ in this alone run at once on one core, each with a stand-in worker of its own, and are loaded in
turn. The figures are medians over the rounds; a ratio is the median of the rounds' own ratios to the baseline, which
counts nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from aiohttp import web
from rich.console import Console
from rich.table import Table

from benchmarks.edge.client import code
from benchmarks.edge.cpu_time import cpu_seconds
from benchmarks.edge.observer_alone import Telling, seconds
from benchmarks.edge.proxy_process import spread_cores
from benchmarks.edge.secured import TOKEN
from benchmarks.edge.sessions import PROMPT_CHARS, Bench, bench
from benchmarks.edge.stand_in import Timings
from wire_protocol.frames import Context

SESSIONS: Final = 64
DOCUMENTS: Final = 1_009
"""A busy machine answers late: with the next request in another document nothing is superseded for that."""
PATIENT: Final = {"give_up_ms": 60_000}
RATE: Final = 300.0
"""Completions a second: well below what one core does, so that nothing queues."""
TIMINGS: Final = Timings(slots=1_024)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A proxy and its settings; `COLLECTOR` and `TOKENS` in them are filled in."""

    name: str
    settings: str = ""
    module: str = "edge_proxy"
    token: str = ""


COST: Final = "[cost]\nusd_per_hour = 2.5\n"
TRACING: Final = '[tracing]\nendpoint = "COLLECTOR"\nratio = 0.01\n'
TOKENS: Final = 'token_file = "TOKENS"\n'
QUOTAS: Final = '[tenants."*"]\nrequests_per_second = 1e6\ntokens_per_day = 1000000000000\n'
VARIANTS: Final = (
    Variant(name="nothing is counted", module="benchmarks.edge.blind_proxy"),
    Variant(name="metrics (always on)"),
    Variant(name="metrics and costs", settings=COST),
    Variant(name="metrics and traces, 1 %", settings=TRACING),
    Variant(name="metrics and a token", settings=TOKENS, token=TOKEN),
    Variant(name="metrics and a token with rate and quota", settings=TOKENS + QUOTAS, token=TOKEN),
    Variant(name="all of it", settings=TOKENS + COST + TRACING + QUOTAS, token=TOKEN),
)


@dataclass(slots=True)
class Running:
    """A variant, its bench, and the CPU seconds per completion of each round."""

    variant: Variant
    bench: Bench
    cpu: list[float] = field(default_factory=list)
    wrong: int = 0


async def collector() -> tuple[web.AppRunner, str]:
    """A stand-in for a collector of traces, in this process: it takes everything and keeps nothing."""

    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(content_type="application/x-protobuf")

    app = web.Application()
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces"


async def load(running: Running, seconds: float) -> None:
    """One round."""
    made = running.bench
    loop = asyncio.get_running_loop()
    before, begin = cpu_seconds(made.proxy.pid), loop.time()
    asked = []
    while (passed := loop.time() - begin) < seconds:
        while len(asked) < passed * RATE:
            number = len(asked)
            base = code(PROMPT_CHARS, number)
            context = Context(before=base.before, typed=f"    r{loop.time()}", after=base.after, path=base.path)
            client = made.clients[number % SESSIONS]
            asked.append(client.ask(f"doc-{number % DOCUMENTS}", context, trace=f"{begin}-{number}", **PATIENT))
        await asyncio.sleep(0.001)
    await made.answered(asked)
    running.cpu.append((cpu_seconds(made.proxy.pid) - before) / len(asked))
    running.wrong += sum(not one.right(TIMINGS.chunks) for one in asked)


async def measure(rounds: int, seconds: float) -> list[Running]:
    """All variants."""
    spread_cores()
    async with AsyncExitStack() as stack:
        runner, url = await collector()
        stack.push_async_callback(runner.cleanup)
        every = []
        for number, variant in enumerate(VARIANTS):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"ft-{number}-")))
            (folder / "tokens").write_text(f"bench:{TOKEN}\n")
            settings = variant.settings.replace("COLLECTOR", url).replace("TOKENS", str(folder / "tokens"))
            (folder / "proxy.toml").write_text(settings)
            flags = ["--config", str(folder / "proxy.toml")]
            made = await stack.enter_async_context(bench(folder, TIMINGS, *flags, module=variant.module))
            made.token = variant.token
            await made.connect(SESSIONS)
            every.append(Running(variant, made))
        for turn in range(rounds + 1):
            for running in every if turn % 2 else reversed(every):
                await load(running, seconds)
        for running in every:
            del running.cpu[0]  # the first round warms caches up
        return every


def table(every: Sequence[Running], seconds: float) -> Table:
    """A row per variant."""
    rounds = len(every[0].cpu)
    title = f"CPU of the proxy per completion of 8 chunks, {RATE:g} a second, {rounds} rounds of {seconds:g} s"
    made = Table("proxy", "µs", "ratio", "wrong answers", title=title, title_justify="left")
    for running in every:
        ratios = [mine / base for mine, base in zip(running.cpu, every[0].cpu, strict=True)]
        figures = f"{1e6 * median(running.cpu):.0f}", f"{median(ratios):.3f}", str(running.wrong)
        made.add_row(running.variant.name, *figures)
    return made


async def alone() -> list[tuple[Telling, float]]:
    """What the observer's own part takes, measured in a thread, with the collector in this one."""
    runner, url = await collector()
    tellings = [
        Telling(name="metrics"),
        Telling(name="metrics and costs", usd_per_hour=2.5),
        Telling(name="metrics and traces, 1 %", endpoint=url),
        Telling(name="metrics and a log line each", log=True),
    ]
    try:
        return [(telling, await asyncio.to_thread(seconds, telling)) for telling in tellings]
    finally:
        await runner.cleanup()


def alone_table(measured: Sequence[tuple[Telling, float]]) -> Table:
    """A row per measurement."""
    title = "The observer alone, per completion of 8 chunks, in process; the least of 9 repeats"
    made = Table("what is on", "µs", title=title, title_justify="left")
    for telling, took in measured:
        made.add_row(telling.name, f"{1e6 * took:.1f}")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.edge.observing", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=1.5, help="of each load")
    parser.add_argument("--fast", action="store_true", help="one short round")
    options = parser.parse_args(argv)
    rounds, each = (1, 1.0) if options.fast else (options.rounds, options.seconds)
    import uvloop  # not on Windows

    Console().print(alone_table(uvloop.run(alone())))
    Console().print(table(uvloop.run(measure(rounds, each)), each))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
