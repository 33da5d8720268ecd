"""The tables of `python -m benchmarks.edge`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from rich.table import Table

from benchmarks.edge.cpu import CONCURRENT, CONCURRENT_PACED, Contestant, Figures
from benchmarks.edge.limit import Step
from benchmarks.edge.losses import ProxyLoss, WorkerLoss
from benchmarks.edge.overload import Outcome
from benchmarks.edge.sessions import DOCUMENT_CHARS, DOCUMENTS, PERIOD, Load
from benchmarks.edge.wire_bytes import Sizes


def at(values: Sequence[float], share: float) -> float:
    """The value below which `share` of these, ascending, lie; 0 if there are none."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def _ms(values: Sequence[float], share: float) -> str:
    return f"{1_000 * at(values, share):.2f} ms" if values else "none"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table


def load_table(load: Load, cancelled: list[float], how: str) -> Table:
    """The sessions' part."""
    title = f"{load.sessions} sessions, {how}, one completion of 8 chunks each per {PERIOD:g} s; stand-in worker"
    table = _table(title, "what", "measured", "without proxy", "difference")
    for share in (0.5, 0.99):
        difference = 1_000 * (at(load.added, share) - at(load.direct, share))
        cells = _ms(load.added, share), _ms(load.direct, share), f"{difference:.2f} ms"
        table.add_row(f"added time to first token, p{100 * share:g}", *cells)
    table.add_row("asked, answered right", f"{load.asked}, {load.right}")
    table.add_row("lost, out of order, faults", f"{load.lost}, {load.disordered}, {load.faults}")
    table.add_row("CPU of the proxy per completion", f"{1_000 * load.cpu:.3f} ms")
    table.add_row("memory per idle session", f"{load.idle_bytes / 1_000:.1f} KB")
    documents = f"{DOCUMENTS} documents of {DOCUMENT_CHARS} characters"
    table.add_row(f"memory per session with {documents}", f"{load.document_bytes / 1_000:.1f} KB")
    table.add_row("share of its core: proxy", f"{100 * load.proxy_share:.0f} %")
    table.add_row("share of its core: load generator", f"{100 * load.generator_share:.0f} %")
    table.add_row("cancel to the worker, p50", _ms(cancelled, 0.5))
    table.add_row("cancel to the worker, p99", _ms(cancelled, 0.99))
    return table


def limit_table(steps: list[Step], sessions: int) -> Table:
    """The load that grows."""
    title = f"{sessions} sessions, pushed until it breaks"
    table = _table(title, "per s", "asked", "wrong", "added p50", "p99", "proxy", "generator")
    for step in steps:
        shares = f"{100 * step.proxy:.0f} %", f"{100 * step.generator:.0f} %"
        late = f"{1_000 * step.p50:.1f} ms", f"{1_000 * step.p99:.1f} ms"
        table.add_row(f"{step.rate:.0f}", f"{step.asked:.0f}", str(step.wrong), *late, *shares)
    table.caption = steps[-1].broke
    return table


def cpu_tables(contestants: list[Contestant], rounds: int) -> list[Table]:
    """CPU per completion beside that of others, a table for each load."""
    loads: list[tuple[str, Callable[[Contestant], Figures]]] = [
        (f"chunks at once, {CONCURRENT} concurrent", lambda one: one.at_once),
        (
            f"chunks after 20 ms and each 10 ms, {CONCURRENT_PACED} concurrent (slow: {CONCURRENT})",
            lambda one: one.paced,
        ),
    ]
    made = []
    for how, figures_of in loads:
        title = f"8 chunks, prompt of 1.5 KB, {how}; medians of {rounds} rounds in turn; stand-in worker"
        table = _table(title, "", "CPU per completion", "per s", "first text", "wrong")
        for one in contestants:
            table.add_row(one.name, *_figures(figures_of(one)))
        made.append(table)
    return made


def _figures(figures: Figures) -> tuple[str, str, str, str]:
    if not figures.cpu:
        return "none", "none", "none", str(figures.wrong)
    cpu, first = 1_000 * median(figures.cpu), 1_000 * median(figures.first)
    return f"{cpu:.3f} ms", f"{median(figures.rate):.0f}", f"{first:.2f} ms", str(figures.wrong)


def losses_table(worker: WorkerLoss, proxy: ProxyLoss) -> Table:
    """Both losses."""
    table = _table(f"kill -9 of one of three workers, {worker.sessions} sessions", "what", "measured")
    table.add_row("sessions dropped", str(worker.sessions_lost))
    table.add_row("asked, wrong or repeated text, shed", f"{worker.asked}, {worker.wrong}, {worker.shed}")
    table.add_row("requests under way at the kill", str(len(worker.affected)))
    for name, values in (("of these", worker.affected), ("of the others", worker.others)):
        table.add_row(f"whole answer {name}, p50, p99", f"{_ms(values, 0.5)}, {_ms(values, 0.99)}")
    table.add_section()
    table.add_row(f"kill -9 of one of two proxies, {proxy.clients} clients", f"{proxy.lost} without a suggestion after")
    spread = f"{_ms(proxy.connected, 0.01)}, {_ms(proxy.connected, 0.5)}, {_ms(proxy.connected, 0.99)}"
    table.add_row("welcome from the other, p1, p50, p99", spread)
    moved = f"{_ms(proxy.moved, 0.5)}, {_ms(proxy.moved, 0.99)}, {_ms(proxy.moved, 1.0)}"
    table.add_row("suggestion from the other, p50, p99, last", moved)
    return table


def overload_table(outcomes: list[Outcome], factor: float, seconds: float) -> Table:
    """The simulated overload."""
    title = f"{factor:g} times the capacity for {seconds:g} s, simulated with the real policies"
    told = "shed after the miss was predictable, p99, longest"
    columns = ("asked", "goodput in 200 ms, of capacity", "shed", "shed after, median", told, "wasted")
    table = _table(title, "order", *columns)
    for outcome in outcomes:
        table.add_row(
            outcome.name,
            str(outcome.asked),
            f"{100 * outcome.goodput:.1f} %",
            str(outcome.shed),
            f"{1_000 * outcome.shed_after:.0f} ms",
            f"{_ms(outcome.told_after, 0.99)}, {_ms(outcome.told_after, 1.0)}" if outcome.told_after else "",
            f"{100 * outcome.wasted:.1f} %",
        )
    return table


def bytes_table(sizes: list[Sizes]) -> Table:
    """Bytes on the wire."""
    table = _table(f"bytes of {len(sizes)} requests, one per key, in this package's files", "", "median", "p95")
    for name, values in (("delta", [size.delta for size in sizes]), ("full", [size.full for size in sizes])):
        values.sort()
        table.add_row(name, str(values[len(values) // 2]), str(values[int(0.95 * len(values))]))
    return table
