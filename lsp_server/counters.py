"""What the completer counted in this session: numbers only, no text."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, fields
from typing import Final

from wire_protocol.frames import Kind

KEPT_LATENCIES: Final = 1_024
"""Of each source: enough for a p99."""


@dataclass(slots=True)
class Counters:
    """`foretype/stats`, and by day in the file of `foretype-lsp stats`."""

    requests: int = 0
    """Completions that an editor asked for."""
    refused: int = 0
    """Not answered by any rule of the gate."""
    superseded: int = 0
    """Overtaken by a newer request of the same document."""
    cancelled: int = 0
    """Taken back by the editor."""
    shown: int = 0
    """Suggestions given to the editor, which most probably showed them."""
    cache_hits: int = 0
    joined: int = 0
    """Requests that waited for a generation already in flight."""
    generations: int = 0
    """Requests sent to a source, of every kind."""
    generations_invoked: int = 0
    generations_automatic: int = 0
    generations_prefetch: int = 0
    generations_ahead: int = 0
    """Of the automatic ones, those sent before the editor asked, where the person usually pauses."""
    generations_cancelled: int = 0
    """Of them, those stopped because what was typed contradicted them or a newer one took their place."""
    generations_failed: int = 0
    gave_up: int = 0
    """Requests for which no answer came in time."""
    accepted: int = 0
    accepted_partly: int = 0
    accepted_characters: int = 0
    tokens_generated: int = 0
    """Of every kind; where a stream was left early, estimated from its characters."""
    tokens_invoked: int = 0
    tokens_automatic: int = 0
    tokens_prefetch: int = 0
    tokens_cancelled: int = 0
    """Of generations that were cancelled: nobody saw them."""
    tokens_prefetch_used: int = 0
    prefetches_used: int = 0
    """Prefetches that a suggestion came from."""
    suggestions_withheld: int = 0
    """Not shown because another one stood that they did not extend."""
    latencies_ms: dict[str, deque[float]] = field(default_factory=dict)
    """Recent times from request to answer, by source."""

    def saw(self, source: str, latency_ms: float) -> None:
        """A suggestion of `source` was given `latency_ms` after it was asked for."""
        self.shown += 1
        self.latencies_ms.setdefault(source, deque(maxlen=KEPT_LATENCIES)).append(latency_ms)

    def began(self, kind: Kind) -> None:
        """A generation of this kind was sent to a source."""
        self.generations += 1
        match kind:
            case "invoked":
                self.generations_invoked += 1
            case "automatic":
                self.generations_automatic += 1
            case "prefetch":
                self.generations_prefetch += 1

    def produced(self, kind: Kind, tokens: int) -> None:
        """A generation of this kind came to its end with so many tokens."""
        self.tokens_generated += tokens
        match kind:
            case "invoked":
                self.tokens_invoked += tokens
            case "automatic":
                self.tokens_automatic += tokens
            case "prefetch":
                self.tokens_prefetch += tokens

    def counts(self) -> dict[str, int]:
        """The counters by name."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, int)}

    def quantiles_ms(self) -> dict[str, dict[str, float]]:
        """p50 and p95 of the latencies by source (nearest rank)."""
        return {
            source: {name: _quantile(values, share) for name, share in (("p50", 0.50), ("p95", 0.95))}
            for source, values in self.latencies_ms.items()
        }


def _quantile(values: deque[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)
