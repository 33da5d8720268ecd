"""What workers generate for nobody while people type: real language server, real proxy, with and without cancels.

Each trace is typed by the same person twice, once with the proxy and once with one that never tells a worker to stop.
The worker is a stand-in, the oracle of `benchmarks.client`, which knows the text; one of two kinds of it errs.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from benchmarks.client import source_files, traces
from benchmarks.client.backend import StandInOracle
from benchmarks.client.clients.foretype import Foretype
from benchmarks.client.oracle import Oracle
from benchmarks.client.person import Person
from benchmarks.client.play import Player
from benchmarks.client.traces import Trace
from benchmarks.client.typist import Typist
from benchmarks.edge.oracle_worker import oracle_worker
from benchmarks.edge.proxy_process import proxy
from benchmarks.quality.held_out import DEFAULT_FILE

SEED: Final = 1
DELAY_S: Final = 0.1
"""To the oracle's first token: a small model on a busy GPU."""
AT_ONCE: Final = 4
"""Traces that are typed at the same time."""
PROXIES: Final = {"cancels": "edge_proxy", "never cancels": "benchmarks.edge.never_cancelling_proxy"}
_TOKENS: Final = re.compile(r'^foretype_edge_tokens_total\{fate="(\w+)"\} ([\d.e+]+)', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Waste:
    """Tokens of one variant over all traces."""

    oracle: str
    variant: str
    foreground: int
    foreground_unseen: float
    """Never on screen, not even in part."""
    prefetch: int
    prefetch_unseen: float
    unread: float
    """Of both kinds: generated when no request wanted them any more, as the proxy counts."""

    def share(self, unseen: float, of: int) -> float:
        """Part of `of`; 0 of nothing."""
        return unseen / of if of else 0.0


async def typing_waste(count: int) -> tuple[str, list[Waste]]:
    """Where the traces are from, and a row for each oracle and variant; `count` traces, or the 49 keys if it is 0."""
    origin, sources = source_files.read(DEFAULT_FILE)
    drawn: Sequence[Trace] = traces.realistic(sources, count, SEED)
    if not drawn:
        origin, drawn = "49 keys, one each 120 ms", [traces.simple("49 keys", helps=True, seed=SEED)]
    turns = asyncio.Semaphore(AT_ONCE)
    variants = [(wrong, variant) for wrong in (False, True) for variant in PROXIES]
    # Trace by trace, so that what the machine does besides meets every variant alike.
    jobs = [(wrong, variant, trace) for trace in drawn for wrong, variant in variants]
    runs = await asyncio.gather(*(_one(turns, trace, PROXIES[variant], wrong) for wrong, variant, trace in jobs))
    return origin, [
        _summed("wrong every 12 characters" if wrong else "right", variant, runs[number :: len(variants)])
        for number, (wrong, variant) in enumerate(variants)
    ]


async def _one(turns: asyncio.Semaphore, trace: Trace, module: str, wrong: bool) -> Waste:
    backend = StandInOracle(Oracle(trace, wrong), DELAY_S)
    async with turns, oracle_worker(backend) as worker:
        flags = ["--listen", "127.0.0.1:0", "--worker", worker, "--log-level", "warning"]
        async with proxy(flags, module) as running:
            with tempfile.TemporaryDirectory(prefix="ft-waste-", ignore_cleanup_errors=True) as folder:
                client = Foretype(running.port, Path(folder))
                try:
                    await client.start()
                    client.open(trace.path, trace.language, trace.opened)
                    await Player(client, Typist(trace, Person(trace.habits, trace.seed)), backend.ledger).play()
                finally:
                    with contextlib.suppress(ConnectionError):
                        await client.stop()
            unread = await _unread(running.port)
    ledger = backend.ledger
    return Waste(
        "",
        "",
        ledger.tokens("foreground"),
        ledger.unseen_tokens("foreground"),
        ledger.tokens("prefetch"),
        ledger.unseen_tokens("prefetch"),
        unread,
    )


async def _unread(port: int) -> float:
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/metrics") as response:
        counted = dict(_TOKENS.findall(await response.text()))
    return float(counted.get("wasted", 0.0))


def _summed(oracle: str, variant: str, runs: Iterable[Waste]) -> Waste:
    runs = list(runs)
    return Waste(
        oracle,
        variant,
        sum(run.foreground for run in runs),
        sum(run.foreground_unseen for run in runs),
        sum(run.prefetch for run in runs),
        sum(run.prefetch_unseen for run in runs),
        sum(run.unread for run in runs),
    )
