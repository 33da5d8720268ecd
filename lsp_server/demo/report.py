"""What the demo saw, and its closing table; pure."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from rich.table import Table

WANTED: Final = ("edge", "cache", "local")
"""Sources that a successful demo has seen suggestions from."""

TOTALS: Final = {
    "requests": "editor requests",
    "generations": "sent to a source",
    "joined": "joined one in flight",
    "cancelled": "cancelled by the editor",
    "generations_cancelled": "generations stopped",
    "cache_hits": "cache hits",
}
"""Counters of the server that the closing line names, and what it calls them."""

_PERCENTILES: Final = 100


def percentile(values: list[float], rank: int) -> float:
    """The `rank`-th percentile of `values` (inclusive method); the value itself if there is only one."""
    if len(values) < 2:
        return values[0]
    return statistics.quantiles(values, n=_PERCENTILES, method="inclusive")[rank - 1]


@dataclass
class Report:
    """Suggestions by source, with latencies from key press to ghost text in milliseconds, and how the demo went on."""

    latencies: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    accepted: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    accepted_characters: int = 0
    typed_characters: int = 0
    edge_after_restart: int = 0
    stats: dict[str, int] = field(default_factory=dict)

    def saw(self, source: str, latency_ms: float) -> None:
        """A suggestion was shown."""
        self.latencies[source].append(latency_ms)

    def missing(self) -> list[str]:
        """What a successful demo must show and this one did not."""
        absent = [f"no suggestion came from {source}" for source in WANTED if not self.latencies.get(source)]
        if not self.edge_after_restart:
            absent.append("no suggestion came from the edge after the proxy's restart")
        return absent

    def table(self) -> Table:
        """Suggestions, p50 and p95 by source."""
        table = Table(title="Suggestions by source (key press to ghost text)", title_justify="left")
        table.add_column("source")
        for name in ("suggestions", "p50 ms", "p95 ms", "accepted"):
            table.add_column(name, justify="right")
        for source in (*WANTED, *(set(self.latencies) - set(WANTED))):
            values = self.latencies.get(source, [])
            row = [f"{percentile(values, 50):.1f}", f"{percentile(values, 95):.1f}"] if values else ["–", "–"]
            table.add_row(source, str(len(values)), *row, str(self.accepted[source]))
        return table

    def totals(self) -> str:
        """One line: requests of the editor, what was sent to a source of them, cancelled, answered from the cache."""
        counted = ", ".join(f"{label} {self.stats.get(name, 0)}" for name, label in TOTALS.items())
        return f"typed {self.typed_characters} keys, accepted {self.accepted_characters} characters; {counted}"
