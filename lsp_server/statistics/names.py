"""The names of what is counted: flat, so that counts of sessions and days add up; nested for programs; pure.

accepted                      a count over everything
source/edge/accepted          of one source: edge, local or cache
language/python/accepted      of one language
latency_ms/answer/edge/23     how many answers of one source fell into one bucket (see `histogram`)
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any, Final

from lsp_server.statistics.histogram import quantile_ms, upper_ms

SOURCE: Final = "source"
LANGUAGE: Final = "language"
LATENCY: Final = "latency_ms"

MAX_NAME: Final = 32
"""Characters of a language's name, which comes from the editor."""

QUANTILES: Final = {"p50": 0.50, "p95": 0.95, "p99": 0.99}

Counts = Mapping[str, int]
Histograms = dict[str, dict[str, dict[int, int]]]
"""By what was measured and by source, times in each bucket."""


def plain(name: str) -> str:
    """`name` as a part of another name."""
    return "".join(character if character.isprintable() else "?" for character in name[:MAX_NAME]).replace("/", "_")


def totals(counts: Counts) -> dict[str, int]:
    """Those over everything."""
    return {name: count for name, count in counts.items() if "/" not in name}


def divided(counts: Counts, by: str) -> dict[str, Counter[str]]:
    """Those of each source or of each language."""
    parts: dict[str, Counter[str]] = defaultdict(Counter)
    for name, count in counts.items():
        first, _, rest = name.partition("/")
        part, _, what = rest.partition("/")
        if first == by and what and "/" not in what:
            parts[part][what] += count
    return dict(parts)


def histograms(counts: Counts) -> Histograms:
    """The times by what was measured and by source."""
    found: Histograms = defaultdict(lambda: defaultdict(dict))
    for name, count in counts.items():
        parts = name.split("/")
        if len(parts) == 4 and parts[0] == LATENCY and parts[3].lstrip("-").isdecimal():
            found[parts[1]][parts[2]][int(parts[3])] = count
    return {what: dict(sources) for what, sources in found.items()}


def nested(counts: Counts) -> dict[str, Any]:
    """`counts` as a program reads them: what `foretype/stats` answers and `foretype-lsp stats --json` prints."""
    return {
        **totals(counts),
        "sources": {name: dict(part) for name, part in divided(counts, SOURCE).items()},
        "languages": {name: dict(part) for name, part in divided(counts, LANGUAGE).items()},
        LATENCY: {
            what: {source: _described(buckets) for source, buckets in sources.items()}
            for what, sources in histograms(counts).items()
        },
    }


def _described(buckets: Mapping[int, int]) -> dict[str, Any]:
    values = {name: quantile_ms(buckets, share) for name, share in QUANTILES.items()}
    return {
        "count": sum(buckets.values()),
        **{name: round(value, 2) for name, value in values.items() if value is not None},
        "buckets": [[round(upper_ms(number), 3), buckets[number]] for number in sorted(buckets)],
    }
