"""The parts of `python -m benchmarks.edge` that show the policies in real processes: what each runs, and its table."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Final

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.edge.live_overload import live_overload
from benchmarks.edge.near_match import EDITS, SIMILARITIES, Scores, near_matches
from benchmarks.edge.overload import Outcome
from benchmarks.edge.proxy_process import spread_cores
from benchmarks.edge.real_overload import MAX_TOKENS, RealOverload, real_overload
from benchmarks.edge.typing_waste import Waste, typing_waste
from benchmarks.intervals import Estimate, share

POLICY_PARTS: Final = ("live-overload", "real-overload", "typing", "near-match")
FACTOR: Final = 2.0
TRACES: Final = 4
FILES: Final = 12
FAST_SECONDS: Final = 6.0
SECONDS: Final = 60.0


async def run_policy_scenes(parts: Collection[str], console: Console, *, fast: bool) -> None:
    """Those of `POLICY_PARTS` that are among `parts`."""
    seconds = FAST_SECONDS if fast else SECONDS
    cores = range(psutil.cpu_count() or 1)
    if "live-overload" in parts:
        spread_cores()
        outcomes, late = await live_overload(FACTOR, seconds)
        console.print(live_table(outcomes, late, seconds))
    os.sched_setaffinity(0, cores)  # the worker needs them all
    if "real-overload" in parts:
        console.print(real_table(await real_overload(FACTOR, seconds)))
    if "typing" in parts:
        origin, rows = await typing_waste(0 if fast else TRACES)
        console.print(typing_table(origin, rows))
    if "near-match" in parts:
        origin, scores = await near_matches(1 if fast else FILES)
        console.print(near_match_table(origin, scores))


def live_table(outcomes: list[Outcome], late: float, seconds: float) -> Table:
    """The overload in real time."""
    title = f"{FACTOR:g} times the capacity for {seconds:g} s, real proxies, stand-in workers"
    if late:
        title += f" ({_percent(late)} of the arrivals late: this machine was busy)"
    table = _table(title, "order", "asked", "goodput in 200 ms, of capacity", "shed", "shed after, median", "wasted")
    for each in outcomes:
        after = f"{1_000 * each.shed_after:.0f} ms"
        table.add_row(each.name, str(each.asked), _percent(each.goodput), str(each.shed), after, _percent(each.wasted))
    return table


def real_table(overload: RealOverload) -> Table:
    """The overload with llama.cpp."""
    title = (
        f"foretype-worker with the starter on one core serves {overload.capacity:.0f} answers of {MAX_TOKENS} tokens a "
        f"second ({1_000 * overload.alone:.0f} ms alone); asked for {overload.rate:.0f}"
    )
    columns = ("asked", "goodput in 200 ms, of capacity", "shed", "shed after, median", "other text than alone")
    table = _table(title, "order", *columns)
    for each in overload.outcomes:
        after = sorted(each.shed_after)[len(each.shed_after) // 2] if each.shed_after else 0.0
        goodput = _percent(each.good / (overload.capacity * each.seconds))
        other = f"{each.other_text} of {each.checked}"
        table.add_row(each.name, str(each.asked), goodput, str(each.shed), f"{1_000 * after:.0f} ms", other)
    return table


def typing_table(origin: str, rows: list[Waste]) -> Table:
    """Tokens for nobody while people type."""
    columns = ("foreground tokens", "never seen", "prefetched", "never seen", "wanted by nobody when made")
    table = _table(f"typed: {origin}; stand-in worker", "oracle, proxy", *columns)
    for row in rows:
        total = row.foreground + row.prefetch
        table.add_row(
            f"{row.oracle}, {row.variant}",
            str(row.foreground),
            _percent(row.share(row.foreground_unseen, row.foreground)),
            str(row.prefetch),
            _percent(row.share(row.prefetch_unseen, row.prefetch)),
            _percent(row.share(row.unread, total)),
        )
    return table


def near_match_table(origin: str, scores: Scores) -> Table:
    """The near-match cache, by edit and bound."""
    columns = ("similarity", "requests", "saved", "the model's very words", "right", "the model right")
    table = _table(f"near matches, {origin}, starter model; 95 % intervals", "edit before", *columns)
    for edit in EDITS:
        for least in SIMILARITIES:
            score = scores[edit, least]
            cells = (score.saved, share(score.same), share(score.right), share(score.model_right))
            table.add_row(edit, f"{least:g}", str(score.asked), *map(_interval, cells))
    return table


def _interval(estimate: Estimate) -> str:
    if not estimate.count:
        return "none"
    return f"{_percent(estimate.value)} ({100 * estimate.low:.0f}–{100 * estimate.high:.0f})"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table
