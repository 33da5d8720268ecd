"""Figures of one level of load, from what became of every request; pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.kv_reuse import percentile

OBJECTIVE_S: Final = 0.2
MS: Final = 1_000.0
HOUR_S: Final = 3_600.0
WARM_UP_SHARE: Final = 0.2
"""Of the time, left out at the beginning: caches are cold and typists begin."""


@dataclass(frozen=True)
class Outcome:
    """One request: when it was sent (seconds from the beginning), its first token and end (0: none), and tokens.

    `reason` is of the protocol's `done`; `cancelled` includes those that a later key replaced.
    """

    sent: float
    first: float
    ended: float
    tokens: int
    reason: str


def level(typists: int, seconds: float, outcomes: Sequence[Outcome], dollars_per_hour: float) -> dict[str, Any]:
    """The row of a number of typists. Times in milliseconds, of requests sent after the warm-up."""
    begin = seconds * WARM_UP_SHARE
    counted = [outcome for outcome in outcomes if outcome.sent >= begin]
    span = seconds - begin
    answered = [outcome for outcome in counted if outcome.reason in ("stop", "length")]
    begun = [(outcome.first - outcome.sent) * MS for outcome in counted if outcome.first]
    rates = [
        (outcome.tokens - 1) / (outcome.ended - outcome.first)
        for outcome in answered
        if outcome.tokens > 1 and outcome.ended > outcome.first > 0
    ]
    good = sum(1 for outcome in answered if outcome.first and outcome.first - outcome.sent <= OBJECTIVE_S)
    return {
        "typists": typists,
        "requests": len(counted),
        "answered": len(answered),
        "replaced": sum(outcome.reason == "cancelled" for outcome in counted),
        "shed": sum(outcome.reason == "shed" for outcome in counted),
        "failed": sum(outcome.reason in ("error", "") for outcome in counted),
        "first_token_ms": {name: _at(begun, share) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))},
        "tokens_per_s_per_request": round(statistics.median(rates), 1) if rates else None,
        "tokens_per_s": round(sum(outcome.tokens for outcome in counted) / span, 1),
        "goodput_per_s": round(good / span, 2),
        "dollars_per_completion": round(dollars_per_hour / HOUR_S / (len(answered) / span), 8) if answered else None,
    }


def most_typists(levels: Sequence[dict[str, Any]]) -> int:
    """The highest measured level whose p95 is within the objective, and all below it; 0 if none."""
    best = 0
    for row in sorted(levels, key=lambda row: int(row["typists"])):
        p95 = row["first_token_ms"]["p95"]
        if p95 is None or p95 > OBJECTIVE_S * MS or row["failed"]:
            break
        best = int(row["typists"])
    return best


def _at(values: Sequence[float], share: float) -> float | None:
    return round(percentile(values, share), 1) if values else None
