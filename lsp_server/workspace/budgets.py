"""How much of the workspace goes into a prompt, by what will read it; pure arithmetic.

A worker gives snippets a quarter of the context that is left beside what may be typed and generated
(`gpu_worker.budget`), and drops from the first that does not fit. So a budget is that quarter, in characters, and less
where the model is slow: on a CPU 100 tokens cost about 10 ms of first token (33 M parameters, two cores).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from lsp_server.sources.base import SourceStatus
from lsp_server.workspace.blocks import NARROW, WIDE

Kind = Literal["declarations", "similar", "edits"]

SHARES: Final[dict[Kind, float]] = {"declarations": 0.35, "similar": 0.45, "edits": 0.20}
"""Of the budget. What declarations and edits leave goes to similar code."""

CHARACTERS_PER_TOKEN: Final = 3.0
"""Of code, a little below what small vocabularies give (3.2), so that the worker need not drop anything."""
HEAD_TOKENS: Final = 16
"""Of a snippet beside its text: the separator and its path."""

LOCAL_TOKENS: Final = 140
"""On this machine. The starter gains nothing that could be measured from 140, 280 or 560 (`benchmarks/context`: it
hardly uses even a snippet that holds the very answer), and each costs at re-anchors: 280 made prompts 12 % longer."""
EDGE_TOKENS: Final = 1_600
"""On a GPU: some 20 ms of prefill at 80,000 tokens a second."""
UNKNOWN_EDGE_CONTEXT: Final = 4_096
"""Tokens an edge's model is taken to have where it does not say."""
_RESERVED: Final = 512 + 128
"""Tokens the worker keeps free for what is typed and generated."""
_WORKERS_SHARE: Final = 4
_WIDE_FROM: Final = 800
"""Tokens from which a window of 40 lines fits beside other parts."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is known of what will answer: where it runs, and its model's context in tokens (0: not known)."""

    place: Literal["local", "edge"] = "local"
    context_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Budget:
    """Characters of all snippets with their heads, how many there may be, blocks of a window, and how many lines above
    and below the cursor windows are compared with."""

    characters: int
    snippets: int
    width: int
    lines_above: int
    lines_below: int

    def share(self, kind: Kind) -> int:
        """Characters for one kind."""
        return int(self.characters * SHARES[kind])


def limits_of(statuses: Sequence[SourceStatus]) -> Limits:
    """What will most likely answer: the edge while it is there."""
    ready = {status.name: status.context_tokens for status in statuses if status.state == "ready"}
    return Limits("edge", ready["edge"]) if "edge" in ready else Limits("local", ready.get("local", 0))


def budget_for(limits: Limits) -> Budget:
    """The budget for what will answer; without knowledge of it that of a small model on this machine."""
    most = EDGE_TOKENS if limits.place == "edge" else LOCAL_TOKENS
    known = limits.context_tokens or (UNKNOWN_EDGE_CONTEXT if limits.place == "edge" else 2_048)
    reserved = min(_RESERVED, known // 2)
    tokens = min(most, (known - reserved) // _WORKERS_SHARE)
    wide = tokens >= _WIDE_FROM
    characters = int(tokens * CHARACTERS_PER_TOKEN)
    return Budget(characters, 12, WIDE, 30, 10) if wide else Budget(characters, 4, NARROW, 15, 5)


def head_characters(path: str) -> int:
    """What a snippet's separator and path take, in characters of the budget."""
    return int(HEAD_TOKENS * CHARACTERS_PER_TOKEN) if len(path) < 48 else len(path)
