"""The tables for people and the JSON for programs."""

from __future__ import annotations

import statistics
from typing import Any

from rich.table import Table

from benchmarks import intervals
from benchmarks.context.measure import Outcome
from benchmarks.context.variants import NONE
from benchmarks.intervals import Estimate
from benchmarks.quality.measures import summed_up
from benchmarks.quality.report import percent


def gain(outcome: Outcome, base: Outcome) -> Estimate:
    """By how much the share of exact answers differs from the base's at the same cursors; bootstrapped in pairs."""
    pairs = zip(outcome.judged, base.judged, strict=True)
    return intervals.mean([float(mine.exact) - float(theirs.exact) for mine, theirs in pairs])


def keys_gain(outcome: Outcome, base: Outcome) -> Estimate:
    """Keys saved beyond the base's, as a share of all keys; bootstrapped in pairs."""
    pairs = list(zip(outcome.judged, base.judged, strict=True))
    more = [float(mine.typed.saved - theirs.typed.saved) for mine, theirs in pairs]
    return intervals.ratio(more, [float(mine.typed.keys) for mine, _ in pairs])


def table(title: str, outcomes: dict[str, Outcome]) -> Table:
    """One model's."""
    count = len(outcomes[NONE].judged)
    shown = Table(title=f"{title}: {count} cursors, 95 % intervals, differences in pairs", title_justify="left")
    for name in (
        "context", "exact match", "more than none", "keys saved", "more than none", "with snippets", "bytes",
        "prompt tokens", "first token ms", "gather ms, p99",
    ):  # fmt: skip
        shown.add_column(name, justify="left" if name == "context" else "right")
    for name, outcome in outcomes.items():
        measures = summed_up(outcome.judged)
        shown.add_row(
            name,
            percent(measures["exact match"]),
            "" if name == NONE else percent(gain(outcome, outcomes[NONE])),
            percent(measures["keys saved"]),
            "" if name == NONE else percent(keys_gain(outcome, outcomes[NONE])),
            f"{100 * statistics.mean(map(bool, outcome.snippets)):.0f} %",
            f"{statistics.mean(outcome.snippet_bytes):.0f}",
            f"{statistics.mean(outcome.prompt_tokens):.0f}",
            f"{statistics.median(outcome.first_token_ms):.0f}",
            f"{quantile(outcome.gathered_ms, 0.99):.2f}",
        )
    return shown


def reach_table(outcomes: dict[str, Outcome]) -> Table:
    """What needs no model."""
    shown = Table(title=f"What the snippets hold: {len(outcomes[NONE].reach)} cursors", title_justify="left")
    for name in (
        "context",
        "new names found",
        "best line",
        "with snippets",
        "bytes",
        "gather ms, p50",
        "p99",
        "CPU, p99",
    ):
        shown.add_column(name, justify="left" if name == "context" else "right")
    for name, outcome in outcomes.items():
        found, new = reach_estimates(outcome)
        shown.add_row(
            name,
            percent(found),
            percent(new),
            f"{100 * statistics.mean(map(bool, outcome.snippets)):.0f} %",
            f"{statistics.mean(outcome.snippet_bytes):.0f}",
            f"{quantile(outcome.gathered_ms, 0.5):.2f}",
            f"{quantile(outcome.gathered_ms, 0.99):.2f}",
            f"{quantile(outcome.cpu_ms, 0.99):.2f}",
        )
    return shown


def reach_estimates(outcome: Outcome) -> tuple[Estimate, Estimate]:
    """The share of new names that the snippets have, and the mean likeness of their best line."""
    with_new = [one for one in outcome.reach if one.new_names]
    found = intervals.ratio([float(one.found_names) for one in with_new], [float(one.new_names) for one in with_new])
    return found, intervals.mean([one.best_line for one in outcome.reach])


def reach_json(outcome: Outcome) -> dict[str, Any]:
    """The same."""
    found, best = reach_estimates(outcome)
    return {
        "new_names_found": found.to_json(),
        "best_line": best.to_json(),
        "snippet_bytes_mean": statistics.mean(outcome.snippet_bytes),
        "gather_ms_p50": quantile(outcome.gathered_ms, 0.5),
        "gather_ms_p99": quantile(outcome.gathered_ms, 0.99),
        "gather_cpu_ms_p99": quantile(outcome.cpu_ms, 0.99),
    }


def to_json(outcomes: dict[str, Outcome]) -> dict[str, Any]:
    """The same, with every cursor's verdict."""
    base = outcomes[NONE]
    return {
        name: {
            "measures": {each: value.to_json() for each, value in summed_up(outcome.judged).items()},
            "exact_more_than_none": gain(outcome, base).to_json(),
            "keys_more_than_none": keys_gain(outcome, base).to_json(),
            "snippet_bytes_mean": statistics.mean(outcome.snippet_bytes),
            "prompt_tokens_mean": statistics.mean(outcome.prompt_tokens),
            "first_token_ms_median": statistics.median(outcome.first_token_ms),
            "gather_ms_p99": quantile(outcome.gathered_ms, 0.99),
            "cursors": [
                {"place": one.cursor.place, "exact": one.exact, "saved": one.typed.saved, "snippets": count}
                for one, count in zip(outcome.judged, outcome.snippets, strict=True)
            ],
        }
        for name, outcome in outcomes.items()
    }


def quantile(values: list[float], share: float) -> float:
    """The smallest value that at least this share of the values is not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
