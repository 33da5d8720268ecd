"""What answers at a cursor: a model behind a worker, or a rule. One vocabulary for the bench; pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from wire_protocol.frames import Context, DoneReason, Lines


@dataclass(frozen=True)
class Answer:
    """A suggestion as the worker gave it, and how it ended; log-probabilities are natural, None where unknown."""

    text: str
    reason: DoneReason = "stop"
    mean_logprob: float | None = None
    tokens: int = 0


Ask = Callable[[Context, Lines], Awaitable[Answer]]
"""Gives the suggestion for a context."""
