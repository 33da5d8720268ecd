"""Which sequence of the KV cache serves a prompt: pure policy over what each sequence holds.

A slot is one sequence of llama.cpp's cache. Idle slots keep the tokens of their last request, so that the next
keystroke in the same document evaluates only what is new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

COPY_GAIN_TOKENS = 128
"""Copying a whole sequence costs about as much as evaluating some dozens of tokens: copy only for clearly more."""
OWN_SHARE = 2
"""Another document's slot is taken over for its prefix only if at least half of what it holds is that prefix."""


@dataclass(slots=True)
class Slot:
    """One sequence: the tokens whose keys and values it holds, whose they are, and when it was last used."""

    index: int
    tokens: list[int] = field(default_factory=list)
    doc: str = ""
    salt: str = ""
    busy: bool = False
    last_used: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """The slot to use and how many of its leading tokens stay; with `copy_from`, first copy that slot onto it."""

    index: int
    reuse: int
    copy_from: int | None = None


def common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """How many leading tokens two sequences share."""
    limit = min(len(left), len(right))
    if left[:limit] == right[:limit]:  # the usual case of a keystroke, compared at C speed
        return limit
    low, high = 0, limit
    while high - low > 1:
        middle = (low + high) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle
    return low


def choose(slots: Sequence[Slot], prompt: Sequence[int], doc: str, salt: str) -> Choice | None:
    """The slot for a prompt (not empty), or None while all are busy.

    At least one token is left to evaluate, because its logits are needed. Tokens of another `salt` are never reused.
    Of the idle slots, the one with the longest common prefix serves, ties going to the document's own; but a slot that
    would lose more than it gives is left alone for the least recently used one. When a busy slot, or one left alone,
    shares much more than that, its content is copied.
    """
    idle = [slot for slot in slots if not slot.busy]
    if not idle:
        return None
    shared = {
        slot.index: min(common_prefix(slot.tokens, prompt), len(prompt) - 1) if slot.salt == salt else 0
        for slot in slots
    }

    def worth_taking(slot: Slot) -> bool:
        own = slot.doc == doc and slot.salt == salt
        return shared[slot.index] > 0 and (own or shared[slot.index] * OWN_SHARE >= len(slot.tokens))

    candidates = [slot for slot in idle if worth_taking(slot)]
    if candidates:
        best = max(candidates, key=lambda slot: (shared[slot.index], slot.doc == doc, slot.last_used))
    else:
        best = min(idle, key=lambda slot: (_keeps_for(slot, doc, salt), slot.last_used, slot.index))
    source = max(slots, key=lambda slot: shared[slot.index])
    if shared[source.index] - shared[best.index] >= COPY_GAIN_TOKENS:
        return Choice(best.index, shared[source.index], copy_from=source.index)
    return Choice(best.index, shared[best.index])


def _keeps_for(slot: Slot, doc: str, salt: str) -> int:
    """How much a slot's content is worth keeping: an empty one costs nothing, the same document's is outdated."""
    if not slot.tokens:
        return 0
    return 1 if slot.doc == doc and slot.salt == salt else 2
