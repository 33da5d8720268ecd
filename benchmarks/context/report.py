"""The tables for people and the JSON for programs."""

from __future__ import annotations

import statistics
from typing import Any

from rich.table import Table

from benchmarks import intervals
from benchmarks.client.scoring import quantile
from benchmarks.context.measure import Outcome
from benchmarks.context.variants import COPY, NONE
from benchmarks.intervals import Estimate
from benchmarks.paired import mcnemar, sign_flip
from benchmarks.quality.measures import summed_up
from benchmarks.quality.report import percent

Outcomes = dict[str, Outcome]


def gain(outcome: Outcome, base: Outcome) -> tuple[Estimate, float]:
    """By how much the share of exact answers differs from the base's at the same cursors; McNemar's p-value."""
    mine, theirs = ([one.exact for one in each.judged] for each in (outcome, base))
    pairs = zip(mine, theirs, strict=True)
    return intervals.mean([float(one) - float(other) for one, other in pairs]), mcnemar(mine, theirs)


def keys_gain(outcome: Outcome, base: Outcome) -> tuple[Estimate, float]:
    """Keys saved beyond the base's, as a share of all keys; the p-value of random signs."""
    pairs = list(zip(outcome.judged, base.judged, strict=True))
    more = [float(mine.typed.saved - theirs.typed.saved) for mine, theirs in pairs]
    return intervals.ratio(more, [float(mine.typed.keys) for mine, _ in pairs]), sign_flip(more)


def nats_gain(outcome: Outcome, base: Outcome) -> tuple[Estimate, float]:
    """Nats for each character of the truth less than the base's; the p-value of random signs."""
    less = [theirs - mine for mine, theirs in zip(outcome.nats, base.nats, strict=True)]
    return intervals.ratio(less, [float(count) for count in outcome.characters]), sign_flip(less)


def answers_table(title: str, outcomes: Outcomes) -> Table:
    """What one model answered."""
    base = outcomes[NONE]
    shown = _table(
        f"{title}: {len(base.judged)} cursors, 95 % intervals; differences in pairs, p of McNemar and of random signs",
        "context", "exact match", "more than none", "p", "keys saved", "more than none", "p", "prompt tokens",
        "first token ms",
    )  # fmt: skip
    for name, outcome in outcomes.items():
        if not outcome.judged:
            continue
        measures = summed_up(outcome.judged)
        (exact, exact_p), (keys, keys_p) = gain(outcome, base), keys_gain(outcome, base)
        compared = name != NONE
        shown.add_row(
            name,
            percent(measures["exact match"]),
            percent(exact) if compared else "",
            f"{exact_p:.2f}" if compared else "",
            percent(measures["keys saved"]),
            percent(keys) if compared else "",
            f"{keys_p:.2f}" if compared else "",
            f"{statistics.mean(outcome.prompt_tokens):.0f}",
            f"{statistics.median(outcome.first_token_ms):.0f}",
        )
    return shown


def likelihood_table(title: str, outcomes: Outcomes) -> Table:
    """How likely a model finds the truth."""
    base = outcomes[NONE]
    shown = _table(
        f"{title}: likelihood of the truth at {len(base.nats)} cursors",
        "context", "nats a character", "less than none", "p", "better at", "worse at",
    )  # fmt: skip
    for name, outcome in outcomes.items():
        if not outcome.nats:
            continue
        less, p = nats_gain(outcome, base)
        pairs = list(zip(outcome.nats, base.nats, strict=True))
        compared = name != NONE
        shown.add_row(
            name,
            f"{sum(outcome.nats) / sum(outcome.characters):.4f}",
            f"{less.value:.4f} ({less.low:.4f}–{less.high:.4f})" if compared else "",
            f"{p:.3f}" if compared else "",
            f"{100 * statistics.mean(mine < theirs - 0.05 for mine, theirs in pairs):.0f} %" if compared else "",
            f"{100 * statistics.mean(mine > theirs + 0.05 for mine, theirs in pairs):.0f} %" if compared else "",
        )
    return shown


def reach_table(title: str, outcomes: Outcomes) -> Table:
    """What needs no model: what the model is given, and what that costs."""
    layouts = list(outcomes[NONE].layouts)
    shown = _table(
        f"What is given, {title}: {len(outcomes[NONE].reach)} cursors",
        "context", "names covered", "new names found", "best line", "with snippets", "bytes", "gather ms, p50", "p99",
        *(f"tokens, {name}" for name in layouts),
    )  # fmt: skip
    for name, outcome in outcomes.items():
        if name == COPY:
            continue
        covered, found, line = reach_estimates(outcome)
        row = [name, percent(covered), percent(found), percent(line)]
        if outcome.snippets:
            row += [
                f"{100 * statistics.mean(map(bool, outcome.snippets)):.0f} %",
                f"{statistics.mean(outcome.snippet_bytes):.0f}",
                f"{quantile(outcome.gathered_ms, 0.5):.2f}",
                f"{quantile(outcome.gathered_ms, 0.99):.2f}",
                *(f"{statistics.mean(outcome.layouts[layout]):.0f}" for layout in layouts),
            ]
        shown.add_row(*row)
    return shown


def reach_estimates(outcome: Outcome) -> tuple[Estimate, Estimate, Estimate]:
    """Of the names of the truth the share that the model sees; of those that its window lacks the share that the
    snippets have; the mean likeness of their best line."""
    named = [one for one in outcome.reach if one.names]
    new = [one for one in outcome.reach if one.new]
    covered = intervals.ratio([float(one.covered) for one in named], [float(one.names) for one in named])
    found = intervals.ratio([float(one.found) for one in new], [float(one.new) for one in new])
    return covered, found, intervals.mean([one.best_line for one in outcome.reach])


def reach_json(outcomes: Outcomes) -> dict[str, Any]:
    """The same."""
    figures: dict[str, Any] = {}
    for name, outcome in outcomes.items():
        covered, found, line = reach_estimates(outcome)
        figures[name] = {
            "names_covered": covered.to_json(),
            "new_names_found": found.to_json(),
            "best_line": line.to_json(),
        }
        if outcome.snippets:
            figures[name] |= {
                "snippet_bytes_mean": statistics.mean(outcome.snippet_bytes),
                "gather_ms_p50": quantile(outcome.gathered_ms, 0.5),
                "gather_ms_p99": quantile(outcome.gathered_ms, 0.99),
                "tokens_mean": {layout: statistics.mean(tokens) for layout, tokens in outcome.layouts.items()},
            }
    return figures


def model_json(outcomes: Outcomes) -> dict[str, Any]:
    """What a model answered, with every cursor's verdict, and how likely it found the truth."""
    base = outcomes[NONE]
    figures: dict[str, Any] = {}
    for name, outcome in outcomes.items():
        if outcome.nats:
            less, p = nats_gain(outcome, base)
            figures[name] = {"nats_less_than_none": less.to_json(), "nats_p": p, "nats": outcome.nats}
        if outcome.judged:
            (exact, exact_p), (keys, keys_p) = gain(outcome, base), keys_gain(outcome, base)
            figures[name] = figures.get(name, {}) | {
                "measures": {each: value.to_json() for each, value in summed_up(outcome.judged).items()},
                "exact_more_than_none": exact.to_json(),
                "exact_p": exact_p,
                "keys_more_than_none": keys.to_json(),
                "keys_p": keys_p,
                "prompt_tokens_mean": statistics.mean(outcome.prompt_tokens),
                "first_token_ms_median": statistics.median(outcome.first_token_ms),
                "cursors": [
                    {"place": one.cursor.place, "exact": one.exact, "saved": one.typed.saved, "snippets": count}
                    for one, count in zip(outcome.judged, outcome.snippets, strict=True)
                ],
            }
    return figures


def _table(title: str, *columns: str) -> Table:
    shown = Table(title=title, title_justify="left")
    for number, name in enumerate(columns):
        shown.add_column(name, justify="right" if number else "left")
    return shown
