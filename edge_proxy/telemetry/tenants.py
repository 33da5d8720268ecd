"""Counts per tenant, with a bounded number of label values: the busiest have their own, the others share one; pure.

Prometheus keeps a series for each label value it has ever seen, and with signed tokens (JWT) nobody knows how many
tenants there will be. Who counts as busy is looked at when the counts are read: requests, halved every
`HALF_LIFE_SECONDS`; who has a label keeps it unless another one has `KEEP` times as many. A tenant that loses its
label is counted with the others from then on, and its own series ends: no count ever falls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

HALF_LIFE_SECONDS: Final = 600.0
KEEP: Final = 1.5
OTHERS: Final = "other"
"""The label value of the rest. A tenant of this very name is always among them."""
MAX_TENANTS: Final = 10_000
"""Tenants told apart between two readings; beyond that they go to the others at once. Bounds memory: 2 MB."""

FIELDS: Final = ("requests", "answered", "shed", "cancelled", "prompt", "reused", "generated", "usd")


class Counts:
    """What one tenant did: requests, their ends, tokens evaluated, reused and generated, dollars."""

    __slots__ = FIELDS

    def __init__(self) -> None:
        self.requests = self.answered = self.shed = self.cancelled = 0
        self.prompt = self.reused = self.generated = 0
        self.usd = 0.0

    def add(self, other: Counts) -> None:
        """Take what the other has, and leave it empty."""
        for name in FIELDS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
            setattr(other, name, 0)


class Tenants:
    """`labels`: how many tenants have their own. `clock` gives monotonic seconds."""

    def __init__(self, labels: int, clock: Callable[[], float]) -> None:
        self._labels: Final = labels
        self._clock: Final = clock
        self._new: Final[dict[str, Counts]] = {}
        self._scores: dict[str, float] = {}
        self._shown: dict[str, Counts] = {}
        self._others: Final = Counts()
        self._overflow: Final = Counts()
        self._scored_at = clock()

    def of(self, tenant: str) -> Counts:
        """Where what this tenant does is counted; never kept by the caller."""
        found = self._new.get(tenant)
        if found is None:
            if len(self._new) >= MAX_TENANTS:
                return self._overflow
            found = self._new[tenant] = Counts()
        return found

    def read(self) -> Iterator[tuple[str, Counts]]:
        """The counts since the start, by label value."""
        self._rank()
        for tenant, counts in self._new.items():
            self._shown.get(tenant, self._others).add(counts)
        self._new.clear()
        self._others.add(self._overflow)
        yield from self._shown.items()
        yield OTHERS, self._others

    def _rank(self) -> None:
        now = self._clock()
        decay = 0.5 ** ((now - self._scored_at) / HALF_LIFE_SECONDS)
        self._scored_at = now
        scores = {tenant: score * decay for tenant, score in self._scores.items()}
        for tenant, counts in self._new.items():
            scores[tenant] = scores.get(tenant, 0.0) + counts.requests
        if len(scores) > MAX_TENANTS:
            kept = sorted(scores.items(), key=lambda pair: pair[1], reverse=True)[:MAX_TENANTS]
            scores = dict(kept)
        self._scores = scores
        shown = self._shown

        def rank(tenant: str) -> tuple[float, str]:
            return (-scores[tenant] * (KEEP if tenant in shown else 1.0), tenant)

        best = sorted((tenant for tenant in scores if tenant != OTHERS), key=rank)[: self._labels]
        self._shown = {tenant: shown.get(tenant) or Counts() for tenant in best}
