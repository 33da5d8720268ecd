"""Which tier of model a request should get, and which it may get instead; pure.

A single line that nobody asked for is the small model's: it must be there at once, and larger models gain little on
it. Several lines are worth the medium one, an explicit wish the large one if there is time for it. A tight objective
counts more than the wish for quality. A language can have a higher floor, where the small model is known to be weak.
Where the wanted tier has no room, a smaller one answers at once rather than let the request wait or be shed; an
invoked request first waits for a quarter of its objective, because somebody chose to wait for it. A larger tier than
wanted is used only where no smaller one is connected at all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, Literal

from edge_proxy.requests import Ask

Tier = Literal["small", "medium", "large"]
TIERS: Final[tuple[Tier, ...]] = ("small", "medium", "large")
"""Smallest first."""

TIGHT_OBJECTIVE: Final = 0.1
"""Seconds: below it only the small model has its first token in time."""
LARGE_GIVE_UP: Final = 4.0
"""Seconds that a request must allow for the large model to be worth a try."""
PATIENT_SHARE: Final = 0.25
"""Share of the objective for which an invoked request waits for its own tier."""


def wanted(ask: Ask, floors: Mapping[str, Tier]) -> Tier:
    """The tier for `ask` if all were idle; `floors` gives the least one of a language."""
    if ask.kind == "prefetch" or ask.objective < TIGHT_OBJECTIVE:
        return "small"
    if ask.kind == "invoked" and ask.give_up >= LARGE_GIVE_UP:
        rank = TIERS.index("large" if ask.lines == "multi" else "medium")
    else:
        rank = TIERS.index("medium" if ask.lines == "multi" else "small")
    return TIERS[max(rank, TIERS.index(floors.get(ask.context.language, "small")))]


def acceptable(ask: Ask, waited: float, offered: Collection[Tier], floors: Mapping[str, Tier]) -> list[Tier]:
    """Of the tiers `offered`, those that may answer `ask` after it waited for `waited` seconds; the best one first."""
    rank = TIERS.index(wanted(ask, floors))
    downwards = [tier for tier in reversed(TIERS[: rank + 1]) if tier in offered]
    if not downwards:
        return [tier for tier in TIERS[rank + 1 :] if tier in offered][:1]
    if ask.kind == "invoked" and waited < PATIENT_SHARE * ask.objective:
        return downwards[:1]
    return downwards


def at_least(least: str, offered: Collection[Tier]) -> list[Tier]:
    """Of the tiers `offered`, those from `least` on, the smallest first."""
    return [tier for tier in TIERS if tier in offered and TIERS.index(tier) >= TIERS.index(least)]


def next_larger(tier: Tier, offered: Collection[Tier]) -> Tier | Literal[""]:
    """The smallest tier above `tier` of those `offered`; "" if there is none."""
    return next((above for above in TIERS[TIERS.index(tier) + 1 :] if above in offered), "")
