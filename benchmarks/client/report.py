"""The table for people and the JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.client.scoring import MEASURES, Run, factor, run_to_json, score, to_json
from benchmarks.errors import BenchError

WIDTH: Final = 140
OURS: Final = "Foretype"
ABLATED: Final = {
    "served_keys": "right keys",
    "partly_keys": "right for a word",
    "wrong_keys": "wrong keys",
    "appeared_wrong_share": "appeared wrong",
    "pauses_served": "pauses served",
    "served_p95_ms": "p95 ms",
    "requests_per_shown": "requests each",
    "foreground_tokens": "foreground tokens",
    "foreground_unseen": "unseen",
    "prefetch_tokens": "prefetched tokens",
    "prefetch_unseen": "unseen ",
    "saved": "saved",
}
"""Measures by the head of their column in the table of an ablation."""


def console() -> Console:
    """Standard output; wide where it is a file."""
    shown = Console()
    return shown if shown.is_terminal else Console(width=WIDTH)


def number(name: str, value: float) -> str:
    """A measure as the table has it."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "never"
    if name.endswith(("unseen", "share")) or name == "saved":
        return f"{100 * value:.1f} %"
    return f"{value:.0f}" if value == int(value) or value >= 100 else f"{value:.2f}"


def times(value: float) -> str:
    """A factor."""
    if math.isnan(value):
        return "–"
    return "∞" if math.isinf(value) else f"{value:.3g} ×"


def table(title: str, scores: Mapping[str, Mapping[str, float]]) -> Table:
    """One scene: every measure for every client, and how many times better ours is than each other."""
    shown = Table("", title=escape(title), title_justify="left")
    others = [name for name in scores if name != OURS]
    for name in scores:
        shown.add_column(escape(name), justify="right", no_wrap=True)
    compared = OURS in scores
    for name in others if compared else ():
        shown.add_column(f"against {escape(name)}", justify="right", no_wrap=True)
    for measure, (words, better) in MEASURES.items():
        row = [number(measure, values[measure]) for values in scores.values()]
        for name in others if compared else ():
            row.append(times(factor(measure, scores[OURS][measure], scores[name][measure])) if better else "")
        shown.add_row(words, *row)
    return shown


def ablation_table(title: str, scores: Mapping[str, Mapping[str, float]]) -> Table:
    """One scene with techniques switched off one by one: a row for each, the measures in which they are told apart."""
    shown = Table("", title=escape(title), title_justify="left")
    shown.columns[0].no_wrap = True
    for words in ABLATED.values():
        shown.add_column(words, justify="right")
    whole: list[str] = []
    same: list[str] = []
    for name, values in scores.items():
        row = [number(measure, values[measure]) for measure in ABLATED]
        if row == whole:
            same.append(name)
            continue
        whole = whole or row
        shown.add_row(escape(name), *row)
    shown.caption = f"No difference: {escape(', '.join(same))}." if same else None
    return shown


def write(path: Path, figures: Mapping[str, Any]) -> None:
    """Write the JSON, and say where it is. Raises BenchError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise BenchError(f"The figures cannot be written to {path}: {error.strerror}.") from None
    print(f"Figures: {path}")


def scored(runs: Mapping[str, Sequence[Run]]) -> dict[str, dict[str, float]]:
    """The measures of each client."""
    return {name: score(each) for name, each in runs.items()}


def scene_to_json(runs: Mapping[str, Sequence[Run]]) -> dict[str, Any]:
    """Measures and runs of one scene."""
    scores = scored(runs)
    return {
        "scores": {name: to_json(values) for name, values in scores.items()},
        "factors": {
            name: to_json(
                {each: factor(each, scores[OURS][each], values[each]) for each in MEASURES if MEASURES[each][1]}
            )
            for name, values in scores.items()
            if name != OURS and OURS in scores
        },
        "runs": {name: [run_to_json(run) for run in each] for name, each in runs.items()},
    }
