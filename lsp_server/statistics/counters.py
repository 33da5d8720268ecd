"""What the completer counted in this session of requests, generations, tokens and times: numbers only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields

from lsp_server.statistics.histogram import bucket
from lsp_server.statistics.names import LATENCY, SOURCE
from lsp_server.statistics.unseen import Tokens
from wire_protocol.frames import Context, Kind


@dataclass(slots=True)
class Counters:
    """A part of `Statistics`: what needs no knowledge of what became of a suggestion."""

    requests: int = 0
    """Completions that an editor asked for."""
    refused: int = 0
    """Not answered by any rule of the gate."""
    superseded: int = 0
    """Overtaken by a newer request of the same document."""
    cancelled: int = 0
    """Taken back by the editor."""
    given: int = 0
    """Answers with a text; while somebody types through a suggestion, one for each key."""
    typed_characters: int = 0
    """That came with edits as small as a person's keys."""
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
    suggestions_hidden: int = 0
    """Answers without a text because the like of it was mostly wrong lately."""
    suggestions_shortened: int = 0
    """Answers with the beginning of a text, as its rest would mostly have been wrong."""
    by_name: Counter[str] = field(default_factory=Counter)
    """Those with a source or a bucket in their name (see `names`)."""
    tokens: Tokens = field(default_factory=Tokens)

    def gave(self, source: str, latency_ms: float) -> None:
        """A text of `source` was given `latency_ms` after it was asked for."""
        self.given += 1
        self.by_name[f"{SOURCE}/{source}/given"] += 1
        self.by_name[f"{LATENCY}/answer/{source}/{bucket(latency_ms)}"] += 1

    def began_to_come(self, source: str, seconds: float) -> None:
        """The first text of a generation of `source` that somebody waits for came after so many seconds."""
        self.by_name[f"{LATENCY}/first_token/{source}/{bucket(seconds * 1_000)}"] += 1

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

    def produced(self, kind: Kind, context: Context, text: str, tokens: int) -> None:
        """A generation of this kind at `context` came to its end with so many tokens."""
        self.tokens.generated(kind, context, text, tokens)
        self.tokens_generated += tokens
        match kind:
            case "invoked":
                self.tokens_invoked += tokens
            case "automatic":
                self.tokens_automatic += tokens
            case "prefetch":
                self.tokens_prefetch += tokens

    def counts(self) -> dict[str, int]:
        """All of them by name."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        counted = {name: value for name, value in values.items() if isinstance(value, int)}
        return counted | self.by_name | self.tokens.tally
