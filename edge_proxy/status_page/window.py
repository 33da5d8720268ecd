"""The last minute, as the difference of two readings of the counts; pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from edge_proxy.metrics import Metrics
from edge_proxy.series import Distributions, Numbers
from edge_proxy.telemetry.observer import Observer

SECONDS: Final = 60.0
EVERY_SECONDS: Final = 5.0
"""Between readings."""
SHOWN_KINDS: Final = ("invoked", "automatic")
"""A prefetch is nobody's wait: it has no part in the latencies."""


class Reading(NamedTuple):
    """The counts at one moment, `at` on the monotonic clock."""

    at: float
    first_token: tuple[int, ...]
    queue: tuple[int, ...]
    whole: tuple[int, ...]
    between: tuple[int, ...]
    began: float
    """Answers of any kind that had a first text."""
    within: float
    ends: dict[str, float]
    """By reason."""
    sheds: dict[str, float]
    """By cause."""
    hits: dict[str, float]
    """By level."""
    tokens: float
    reused: float
    evaluated: float
    completions: int
    usd: float


def read(metrics: Metrics, observer: Observer, now: float) -> Reading:
    """The counts as they are."""
    ends: dict[str, float] = {}
    sheds: dict[str, float] = {}
    for (reason, cause), number in metrics.done.made.items():
        ends[reason] = ends.get(reason, 0.0) + number.value
        if reason == "shed":
            sheds[cause] = number.value
    return Reading(
        at=now,
        first_token=_counts(metrics.first_token),
        queue=_counts(metrics.queue),
        whole=_counts(metrics.total),
        between=_counts(metrics.inter_token),
        began=float(sum(sum(one.counts) for one in metrics.first_token.made.values())),
        within=_sum(metrics.within_objective),
        ends=ends,
        sheds=sheds,
        hits={level: number.value for (level,), number in metrics.cache_hits.made.items()},
        tokens=_sum(metrics.tokens),
        reused=metrics.prompt_tokens.labels("reused").value,
        evaluated=metrics.prompt_tokens.labels("evaluated").value,
        completions=observer.completions,
        usd=sum(cost.total(now) for cost in observer.costs.values()),
    )


class Window:
    """Readings of the last minute."""

    def __init__(self, first: Reading) -> None:
        self._readings: deque[Reading] = deque([first], maxlen=round(SECONDS / EVERY_SECONDS) + 1)

    def add(self, reading: Reading) -> None:
        """One more; the oldest is forgotten."""
        self._readings.append(reading)

    @property
    def oldest(self) -> Reading:
        """What the present is compared with."""
        return self._readings[0]


def grown(now: dict[str, float], before: dict[str, float]) -> dict[str, float]:
    """By how much each count grew; those that did not are left out."""
    differences = {name: value - before.get(name, 0.0) for name, value in now.items()}
    return {name: value for name, value in differences.items() if value > 0}


def quantile(share: float, bounds: Sequence[float], counts: Sequence[int]) -> float | None:
    """The value below which `share` of the observations are, by linear interpolation within its bucket.

    `counts` per bucket, the last one without upper bound: its value is the highest bound. None without observations.
    As `histogram_quantile` of Prometheus.
    """
    wanted = share * sum(counts)
    if not wanted:
        return None
    below, lower = 0.0, 0.0
    for bound, count in zip(bounds, counts, strict=False):
        if count and below + count >= wanted:
            return lower + (bound - lower) * (wanted - below) / count
        below += count
        lower = bound
    return bounds[-1]


def since(now: Iterable[int], before: Sequence[int]) -> list[int]:
    """The counts of a histogram's buckets that came in between; `before` is empty if there was no histogram yet."""
    padded = before or ()
    return [count - (padded[index] if index < len(padded) else 0) for index, count in enumerate(now)]


def _counts(family: Distributions) -> tuple[int, ...]:
    made = [family.made[(kind,)].counts for kind in SHOWN_KINDS if (kind,) in family.made]
    return tuple(map(sum, zip(*made, strict=True)))


def _sum(numbers: Numbers) -> float:
    return sum(number.value for number in numbers.made.values())
