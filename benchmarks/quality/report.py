"""The tables for people and the JSON for programs and plots."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.intervals import Estimate
from benchmarks.quality import calibration
from benchmarks.quality.asking import COPYING, Result
from benchmarks.quality.measures import BREAKDOWNS, MEASURES, Judged, advantage, grouped, summed_up
from wire_protocol.frames import Lines

TITLES: Final[dict[Lines, str]] = {"single": "The rest of a line", "multi": "A block"}
BREAKDOWN_MEASURE: Final = "exact match"
WIDTH: Final = 150
"""Columns where the output is not a terminal: a table of five models fits."""


def percent(estimate: Estimate) -> str:
    """`25.3 % (21.9–29.0)`."""
    if not estimate.count:
        return "–"
    low, high = 100 * estimate.low, 100 * estimate.high
    return f"{100 * estimate.value:.1f} % ({low:.1f}–{high:.1f})"


def console() -> Console:
    """Standard output; wide where it is a file."""
    shown = Console()
    return shown if shown.is_terminal else Console(width=WIDTH)


def show(out: Console, results: Sequence[Result]) -> None:
    """All tables."""
    for task, title in TITLES.items():
        if any(result.judged.get(task) for result in results):
            out.print(_main_table(results, task, title))
            out.print(_breakdown_table(results, task, title))
    for result in results:
        known = calibration.samples(result.judged.get("single", []))
        if known:
            out.print(_threshold_table(result.label, known))


def _columns(table: Table, results: Sequence[Result]) -> Table:
    for result in results:
        table.add_column(escape(result.label), justify="right", no_wrap=True)
    return table


def _main_table(results: Sequence[Result], task: Lines, title: str) -> Table:
    count = len(results[0].judged[task])
    table = Table("", title=f"{title}: {count} cursors, 95 % intervals", title_justify="left")
    _columns(table, results)
    sums = [summed_up(result.judged[task]) for result in results]
    for name in MEASURES:
        table.add_row(name, *(percent(each[name]) for each in sums))
    copying = next((result for result in results if result.label == COPYING), None)
    if copying is not None:
        cells = [
            "" if result is copying else points(advantage(result.judged[task], copying.judged[task]))
            for result in results
        ]
        table.add_row("exact match, above copying", *cells)
    return table


def points(estimate: Estimate) -> str:
    """A difference of shares: `+3.2 (+0.4 to +6.1)`, in points of a hundred."""
    return f"{100 * estimate.value:+.1f} ({100 * estimate.low:+.1f} to {100 * estimate.high:+.1f})"


def _breakdown_table(results: Sequence[Result], task: Lines, title: str) -> Table:
    table = Table("", "cursors", title=f"{title}: {BREAKDOWN_MEASURE}", title_justify="left")
    _columns(table, results)
    for _, key in _breakdowns(task):
        table.add_section()
        parts = [grouped(result.judged[task], key) for result in results]
        for group in _ordered(parts[0]):
            cells = [percent(MEASURES[BREAKDOWN_MEASURE](part[group])) for part in parts]
            table.add_row(group, str(len(parts[0][group])), *cells)
    return table


def _breakdowns(task: Lines) -> Iterable[tuple[str, Any]]:
    """A block begins at a line's start or end: quarters say nothing of it."""
    return ((name, key) for name, key in BREAKDOWNS.items() if task == "single" or "quarter" not in name)


def _ordered(groups: dict[str, list[Judged]]) -> list[str]:
    """Quarters by number, all else by size."""
    return sorted(groups, key=lambda name: (name if name.startswith("quarter") else "", -len(groups[name]), name))


def _threshold_table(label: str, known: Sequence[calibration.Sample]) -> Table:
    error = calibration.calibration_error(calibration.bins(known))
    table = Table(
        "mean log-probability",
        "share shown",
        "of these exact",
        "of these right up to their end",
        "of the right ones shown",
        title=f"{escape(label)}, rest of a line: what hiding unsure suggestions gains "
        f"({len(known)} suggestions; expected calibration error {error:.3f})",
        title_justify="left",
    )
    for one in calibration.thresholds(known):
        at = "any" if math.isinf(one.mean_logprob) else f"≥ {one.mean_logprob:g}"
        table.add_row(at, *(percent(each) for each in (one.shown, one.exact, one.right, one.kept)))
    return table


def to_json(results: Sequence[Result], settings: dict[str, Any]) -> dict[str, Any]:
    """Everything measured, and every answer."""
    return {"settings": settings, "results": [_result_json(result, results) for result in results]}


def _result_json(result: Result, results: Sequence[Result]) -> dict[str, Any]:
    copying = next((one for one in results if one.label == COPYING), None)
    tasks: dict[str, Any] = {}
    for task, judged in result.judged.items():
        tasks[task] = {
            "cursors": len(judged),
            "measures": {name: each.to_json() for name, each in summed_up(judged).items()},
            "ends": {end: sum(one.end == end for one in judged) for end in ("there", "early", "late", "disagrees")},
            "by": {
                name: {
                    group: {measure: each.to_json() for measure, each in summed_up(part).items()}
                    for group, part in grouped(judged, key).items()
                }
                for name, key in _breakdowns(task)
            },
            "calibration": calibration.to_json(calibration.samples(judged)),
            "answers": [answer_json(one) for one in judged],
        }
        if copying is not None and copying is not result:
            tasks[task]["exact_match_above_copying"] = advantage(judged, copying.judged[task]).to_json()
    return {"label": result.label, "model": result.model, "tasks": tasks}


def answer_json(one: Judged) -> dict[str, Any]:
    """One cursor, what was suggested there, and what would have been right."""
    cursor, first = one.cursor, one.typed.first
    return {
        "place": cursor.place,
        "language": cursor.record.language,
        "kind": cursor.kind,
        "typed": cursor.typed,
        "answer": first.text,
        "truth": cursor.truth,
        "exact": one.exact,
        "right": one.right,
        "similarity": round(one.similarity, 4),
        "parses": one.parses,
        "reason": first.reason,
        "tokens": first.tokens,
        "mean_logprob": None if first.mean_logprob is None else round(first.mean_logprob, 5),
        "keys": one.typed.keys,
        "pressed": one.typed.pressed,
    }


def show_some(out: Console, result: Result, count: int, seed: int) -> None:
    """`count` right and `count` wrong suggestions for lines, chosen at random: not by hand."""
    judged = result.judged.get("single", [])
    for title, exact in (("right", True), ("wrong", False)):
        some = [one for one in judged if one.exact is exact]
        chosen = random.Random(seed).sample(some, min(count, len(some)))
        out.print(f"\n[bold]{escape(result.label)}: {len(chosen)} of {len(some)} {title} suggestions, at random[/bold]")
        for one in chosen:
            truth = "" if exact else f"   [dim]truth:[/dim] {escape(one.cursor.truth)}"
            out.print(f"{escape(one.cursor.typed.lstrip())}[reverse]|[/reverse]{escape(one.typed.first.text)}{truth}")
            out.print(f"    [dim]{escape(one.cursor.place)}[/dim]", highlight=False)
