"""From what was played to the measures of the table; pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from benchmarks.client.ledger import Ledger
from benchmarks.client.play import Played

MORE: Final = "more is better"
LESS: Final = "less is better"

MEASURES: Final[dict[str, tuple[str, str]]] = {
    "served_keys": ("keys with right ghost text within 100 ms, to its end", MORE),
    "partly_keys": ("keys with ghost text right for a word, wrong later", MORE),
    "wrong_keys": ("keys with wrong ghost text within 100 ms", LESS),
    "wrong_share": ("wrong, of the keys with any ghost text", LESS),
    "looked_keys": ("keys looked at", ""),
    "appeared_right": ("suggestions right to their end when they appeared", MORE),
    "appeared_wrong_share": ("wrong when they appeared, of all that appeared", LESS),
    "pauses": ("pauses", ""),
    "pauses_served": ("pauses in which right ghost text stood", MORE),
    "pause_p50_ms": ("from the request in a pause to right ghost text, p50 ms", LESS),
    "pause_p95_ms": ("the same, p95 ms", LESS),
    "served_p50_ms": ("the same in the pauses served, p50 ms", LESS),
    "served_p95_ms": ("the same in the pauses served, p95 ms", LESS),
    "shown": ("suggestions shown", ""),
    "requests": ("requests to the backend, without prefetch", ""),
    "requests_per_shown": ("requests per shown suggestion", LESS),
    "cancelled": ("requests cancelled", ""),
    "prefetches": ("prefetch requests", ""),
    "foreground_tokens": ("tokens generated, foreground", ""),
    "prefetch_tokens": ("tokens generated, prefetch", ""),
    "foreground_per_accepted": ("foreground tokens generated per token accepted", LESS),
    "prefetch_per_accepted": ("prefetch tokens generated per token accepted", LESS),
    "foreground_unseen": ("foreground tokens that nobody saw, share", LESS),
    "prefetch_unseen": ("prefetch tokens that nobody saw, share", LESS),
    "accepted": ("suggestions accepted", MORE),
    "saved": ("characters saved, share of all", MORE),
    "cpu_ms_a_key": ("CPU of the client per key, ms", LESS),
    "cpu_ms_a_request": ("the same per request of the editor: accepts and jumps ask too", LESS),
    "memory_mb": ("resident memory at the end, MB (largest)", LESS),
    "unfinished": ("traces not finished", LESS),
}
"""What each measure is called, and which way is better."""
COMPARED: Final = tuple(name for name, (_, better) in MEASURES.items() if better)


@dataclass(frozen=True, slots=True)
class Run:
    """One trace with one client: what was played, and what the backend's ledger says."""

    played: Played
    ledger: Ledger


def quantile(values: Sequence[float], share: float) -> float:
    """Nearest rank; NaN of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def score(runs: Sequence[Run]) -> dict[str, float]:
    """Every measure over these runs of one client. A pause without right ghost text counts as infinitely long."""
    played = [run.played for run in runs]
    looks = [look for each in played for look in each.looks if look.action == "key"]
    waits = [math.inf if wait is None else wait for each in played for wait in each.pauses]
    served = [wait for wait in waits if math.isfinite(wait)]
    shown = sum(each.shown for each in played)
    ledgers = [run.ledger for run in runs]
    requests = sum(ledger.requests("foreground") for ledger in ledgers)
    tokens = {name: sum(ledger.tokens(name) for ledger in ledgers) for name in ("foreground", "prefetch")}
    unseen = {name: sum(ledger.unseen_tokens(name) for ledger in ledgers) for name in ("foreground", "prefetch")}
    accepted_tokens = sum(
        run.played.accepted_characters / run.ledger.characters_a_token for run in runs if run.played.accepted
    )
    keys = sum(each.keys for each in played)
    characters = sum(each.characters for each in played)
    return {
        "served_keys": sum(look.state == "right" for look in looks),
        "partly_keys": sum(look.state == "partly" for look in looks),
        "wrong_keys": sum(look.state == "wrong" for look in looks),
        "wrong_share": _ratio(
            sum(look.state == "wrong" for look in looks), sum(look.state != "none" for look in looks)
        ),
        "looked_keys": len(looks),
        "appeared_right": sum(each.appeared.get("right", 0) for each in played),
        "appeared_wrong_share": _ratio(sum(each.appeared.get("wrong", 0) for each in played), shown),
        "pauses": len(waits),
        "pauses_served": sum(math.isfinite(wait) for wait in waits),
        "pause_p50_ms": 1_000 * quantile(waits, 0.50),
        "pause_p95_ms": 1_000 * quantile(waits, 0.95),
        "served_p50_ms": 1_000 * quantile(served, 0.50),
        "served_p95_ms": 1_000 * quantile(served, 0.95),
        "shown": shown,
        "requests": requests,
        "requests_per_shown": _ratio(requests, shown),
        "cancelled": sum(ledger.cancelled for ledger in ledgers),
        "prefetches": sum(ledger.requests("prefetch") for ledger in ledgers),
        "foreground_tokens": tokens["foreground"],
        "prefetch_tokens": tokens["prefetch"],
        "foreground_per_accepted": _ratio(tokens["foreground"], accepted_tokens),
        "prefetch_per_accepted": _ratio(tokens["prefetch"], accepted_tokens),
        "foreground_unseen": _ratio(unseen["foreground"], tokens["foreground"]),
        "prefetch_unseen": _ratio(unseen["prefetch"], tokens["prefetch"]),
        "accepted": sum(each.accepted for each in played),
        "saved": _ratio(sum(each.accepted_characters - each.accepted for each in played), characters),
        "cpu_ms_a_key": 1_000 * _ratio(sum(each.cpu_s for each in played), keys),
        "cpu_ms_a_request": 1_000 * _ratio(sum(each.cpu_s for each in played), sum(each.asked for each in played)),
        "memory_mb": max((each.memory for each in played), default=0) / 1e6,
        "unfinished": sum(not each.finished for each in played),
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def factor(name: str, ours: float, theirs: float) -> float:
    """How many times better ours is; below 1 it is worse, NaN where it cannot be said, infinite against nothing."""
    better, worse = (ours, theirs) if MEASURES[name][1] == MORE else (theirs, ours)
    if math.isnan(better) or math.isnan(worse) or (math.isinf(better) and math.isinf(worse)) or better == worse == 0:
        return math.nan
    return math.inf if worse == 0 else better / worse


def to_json(score: Mapping[str, float]) -> dict[str, Any]:
    """Rounded, with None for what is not known and "never" for what did not come."""
    return {
        name: None if math.isnan(value) else "never" if math.isinf(value) else round(value, 4)
        for name, value in score.items()
    }


def run_to_json(run: Run) -> dict[str, Any]:
    """Everything that was written down of one run but the keys' looks, which are counted."""
    values = asdict(run.played)
    looks = values.pop("looks")
    counts: dict[str, int] = {}
    for look in looks:
        name = f"{look['action']} {look['state']}"
        counts[name] = counts.get(name, 0) + 1
    return {**values, "looks": counts}
