"""`python -m benchmarks.edge`: what the proxy adds and survives, as tables."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.edge.overload import Outcome, overload
from benchmarks.edge.proxy_process import spread_cores
from benchmarks.edge.sessions import DOCUMENT_CHARS, DOCUMENTS, PERIOD, Load, bench, cancels, steady
from benchmarks.edge.stand_in import Timings
from benchmarks.edge.wire_bytes import Sizes, measured

OVERLOAD_FACTOR: Final = 2.0
CANCELS: Final = 300
FAST_SESSIONS: Final = 200
FAST_SECONDS: Final = 5.0
MANY_SLOTS: Final = 4_096
"""More than ever run at once: the sessions' part measures the proxy, not a queue."""


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.edge", description=__doc__)
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each part")
    parser.add_argument("--fast", action="store_true", help=f"{FAST_SESSIONS} sessions, {FAST_SECONDS:g} s")
    parser.add_argument("--only", choices=["sessions", "overload", "bytes"], help="one part")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the parts and print a table of each; the exit status."""
    options = _arguments(argv)
    sessions = FAST_SESSIONS if options.fast else options.sessions
    seconds = FAST_SECONDS if options.fast else options.seconds
    console = Console()
    if options.only in {None, "bytes"}:
        console.print(_bytes_table(measured(sorted(Path("edge_proxy").glob("*.py")))))
    if options.only in {None, "overload"}:
        outcomes = [
            overload("newest first, predicted misses shed", first_come=False, factor=OVERLOAD_FACTOR, seconds=seconds),
            overload("first come, first served", first_come=True, factor=OVERLOAD_FACTOR, seconds=seconds),
        ]
        console.print(_overload_table(outcomes, seconds))
    if options.only in {None, "sessions"}:
        import uvloop  # not on Windows

        load, cancelled = uvloop.run(_sessions(sessions, seconds))
        console.print(_load_table(load, cancelled))
    return 0


async def _sessions(sessions: int, seconds: float) -> tuple[Load, list[float]]:
    spread_cores()
    with tempfile.TemporaryDirectory() as folder:
        async with bench(Path(folder), Timings(slots=MANY_SLOTS)) as made:
            load = await steady(made, sessions, seconds)
            return load, await cancels(made, CANCELS)


def _ms(values: list[float], share: float) -> str:
    return f"{1_000 * values[min(len(values) - 1, int(share * len(values)))]:.2f} ms" if values else "none"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table


def _load_table(load: Load, cancelled: list[float]) -> Table:
    table = _table(
        f"{load.sessions} sessions, one completion of 8 chunks each per {PERIOD:g} s; stand-in worker",
        "what",
        "measured",
    )
    table.add_row("added time to first token, p50", _ms(load.added, 0.5))
    table.add_row("added time to first token, p99", _ms(load.added, 0.99))
    table.add_row("asked, answered right", f"{load.asked}, {load.right}")
    table.add_row("lost, out of order, faults", f"{load.lost}, {load.disordered}, {load.faults}")
    table.add_row("CPU of the proxy per completion", f"{1_000 * load.cpu:.3f} ms")
    table.add_row("memory per idle session", f"{load.idle_bytes / 1_000:.1f} KB")
    table.add_row(
        f"memory per session with {DOCUMENTS} documents of {DOCUMENT_CHARS} characters",
        f"{load.document_bytes / 1_000:.1f} KB",
    )
    table.add_row("load generator's share of its core", f"{100 * load.generator_share:.0f} %")
    table.add_row("cancel to the worker, p50", _ms(cancelled, 0.5))
    table.add_row("cancel to the worker, p99", _ms(cancelled, 0.99))
    return table


def _overload_table(outcomes: list[Outcome], seconds: float) -> Table:
    title = f"{OVERLOAD_FACTOR:g} times the capacity for {seconds:g} s, simulated with the real policies"
    table = _table(title, "order", "asked", "goodput in 200 ms, of capacity", "shed", "shed after, median", "wasted")
    for outcome in outcomes:
        table.add_row(
            outcome.name,
            str(outcome.asked),
            f"{100 * outcome.goodput:.1f} %",
            str(outcome.shed),
            f"{1_000 * outcome.shed_after:.0f} ms",
            f"{100 * outcome.wasted:.1f} %",
        )
    return table


def _bytes_table(sizes: list[Sizes]) -> Table:
    table = _table(f"bytes of {len(sizes)} requests, one per key, in this package's files", "", "median", "p95")
    for name, values in (("delta", [size.delta for size in sizes]), ("full", [size.full for size in sizes])):
        values.sort()
        table.add_row(name, str(values[len(values) // 2]), str(values[int(0.95 * len(values))]))
    return table
