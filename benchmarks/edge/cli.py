"""`python -m benchmarks.edge`: what the proxy adds and survives, as tables."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.edge import tables
from benchmarks.edge.cpu import compare
from benchmarks.edge.limit import until_it_breaks
from benchmarks.edge.losses import kill_a_proxy, kill_a_worker
from benchmarks.edge.overload import overload
from benchmarks.edge.policy_scenes import POLICY_PARTS, run_policy_scenes
from benchmarks.edge.proxy_process import spread_cores
from benchmarks.edge.sessions import DIRECT_SESSIONS, PERIOD, bench, cancels, steady
from benchmarks.edge.stand_in import Timings
from benchmarks.edge.wire_bytes import measured
from edge_proxy.open_files import allow_sessions

OVERLOAD_FACTOR: Final = 2.0
CANCELS: Final = 300
MANY_SLOTS: Final = 4_096
"""More than ever run at once: the sessions' part measures the proxy, not a queue."""
LOSS_CLIENTS: Final = 1_000
LOSS_SECONDS: Final = 6.0
PARTS: Final = ("bytes", "overload", "sessions", "secured", "limit", "losses", "peers", *POLICY_PARTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of everything: seconds of each load, and rounds of the comparison."""

    sessions: int
    seconds: float
    overload_seconds: float
    step_seconds: float
    peer_seconds: float
    rounds: int
    loss_clients: int


FULL: Final = Size(
    sessions=10_000,
    seconds=20.0,
    overload_seconds=60.0,
    step_seconds=4.0,
    peer_seconds=2.0,
    rounds=3,
    loss_clients=LOSS_CLIENTS,
)
FAST: Final = Size(
    sessions=200,
    seconds=4.0,
    overload_seconds=5.0,
    step_seconds=1.0,
    peer_seconds=1.0,
    rounds=1,
    loss_clients=200,
)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.edge", description=__doc__)
    parser.add_argument("--sessions", type=int, help=f"concurrent sessions (default {FULL.sessions})")
    parser.add_argument("--seconds", type=float, help=f"of the sessions' load (default {FULL.seconds:g})")
    parser.add_argument("--fast", action="store_true", help="a minute in all, with small numbers")
    parser.add_argument("--only", choices=PARTS, action="append", help="one part; may be given several times")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the parts and print a table of each; the exit status."""
    options = _arguments(argv)
    size = FAST if options.fast else FULL
    size = replace(size, sessions=options.sessions or size.sessions, seconds=options.seconds or size.seconds)
    parts = [part for part in PARTS if not options.only or part in options.only]
    console = Console()
    if "bytes" in parts:
        console.print(tables.bytes_table(measured(sorted(Path("edge_proxy").glob("*.py")))))
    if "overload" in parts:
        console.print(_overload(size.overload_seconds))
    if set(parts) - {"bytes", "overload"}:
        import uvloop  # not on Windows

        cores = os.sched_getaffinity(0)
        uvloop.run(_processes(parts, size, console))
        os.sched_setaffinity(0, cores)  # the policies' parts start models, which want all of them
        uvloop.run(run_policy_scenes(parts, console, fast=options.fast))
    return 0


def _overload(seconds: float) -> Table:
    outcomes = [
        overload(
            "newest first, predicted misses shed",
            first_come=False,
            factor=OVERLOAD_FACTOR,
            seconds=seconds,
            watch=True,
        ),
        overload("first come, first served", first_come=True, factor=OVERLOAD_FACTOR, seconds=seconds),
    ]
    return tables.overload_table(outcomes, OVERLOAD_FACTOR, seconds)


async def _processes(parts: list[str], size: Size, console: Console) -> None:
    """What needs a real proxy, each with processes of its own."""
    spread_cores()
    allow_sessions(size.sessions + 2 * DIRECT_SESSIONS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "sessions" in parts:
            console.print(await _sessions(folder, size, secured=False))
        if "secured" in parts:
            console.print(await _sessions(folder, size, secured=True))
        if "limit" in parts:
            async with bench(folder, Timings(slots=MANY_SLOTS)) as made:
                await made.connect(size.sessions)
                steps = await until_it_breaks(made, size.step_seconds)
            console.print(tables.limit_table(steps, size.sessions))
        if "losses" in parts:
            worker = await kill_a_worker(folder, size.loss_clients, size.loss_clients / PERIOD, LOSS_SECONDS)
            console.print(tables.losses_table(worker, await kill_a_proxy(folder, size.loss_clients)))
        if "peers" in parts:
            contestants, missing = await compare(folder, size.peer_seconds, size.rounds)
            console.print(*tables.cpu_tables(contestants, size.rounds))
            for sentence in missing:
                console.print(f"Not measured: {sentence}", markup=False)


async def _sessions(folder: Path, size: Size, *, secured: bool) -> Table:
    async with bench(folder, Timings(slots=MANY_SLOTS), secured=secured) as made:
        load = await steady(made, size.sessions, size.seconds)
        return tables.load_table(load, await cancels(made, CANCELS), "TLS and auth" if secured else "plain text")
