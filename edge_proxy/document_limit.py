"""How many live requests a document of a session may have, and which go when one more comes; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from edge_proxy.in_flight import left_for
from edge_proxy.requests import Ask, Request

MAX_PER_DOCUMENT: Final = 2
"""The oldest that still agrees and the newest (DESIGN.md, section 3)."""


def crowded_out(ask: Ask, others: Sequence[Request]) -> list[Request] | None:
    """Of `others`, live for the same document and oldest first, those that make room for `ask`.

    Prefetches go first, then what does not agree with `ask`. None if `ask` is itself the one too many: a prefetch
    pushes nothing out that somebody waits for.
    """
    if len(others) < MAX_PER_DOCUMENT:
        return []
    held = list(others)
    victims = []
    while len(held) >= MAX_PER_DOCUMENT:
        prefetches = [other for other in held if other.ask.kind == "prefetch"]
        if prefetches:
            victim = prefetches[0]
        elif ask.kind == "prefetch":
            return None
        else:
            agreeing = (other for other in held if other.generation and left_for(ask, other.generation) is not None)
            keep = next(agreeing, held[-1])
            victim = next(other for other in held if other is not keep)
        held.remove(victim)
        victims.append(victim)
    return victims
