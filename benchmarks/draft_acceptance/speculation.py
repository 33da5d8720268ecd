"""Greedy speculative decoding, and plain greedy decoding to compare it with; pure over two models and a clock.

In a round the draft proposes up to k tokens, one after the other. The target evaluates them all at once, which gives
its own token at each place; the proposals are accepted up to the first that differs, and the target's token at that
place (or behind the last, if all were right) comes free. So the text is the target's own, whatever the draft says.
Source: Leviathan, Kalman and Matias, 2023 (ICML), with temperature 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

Clock = Callable[[], float]
Ends = Callable[[Sequence[int]], bool]
"""Whether a text, as its tokens so far, ends with the last of them."""


class Greedy(Protocol):
    """A model that holds one prompt and the tokens after it, and names the likeliest token."""

    def begin(self, prompt: Sequence[int]) -> int:
        """Forget everything, evaluate a prompt; the likeliest token after it."""

    def follow(self, tokens: Sequence[int]) -> list[int]:
        """Evaluate more tokens (at least one); the likeliest token after each of them."""

    def keep(self, count: int) -> None:
        """Forget all but the first `count` tokens after the prompt; of fewer, nothing is forgotten."""


@dataclass(frozen=True)
class Round:
    """One step of the target: the tokens proposed for the places from `start` on, and how many it accepted."""

    start: int
    proposed: tuple[int, ...]
    accepted: int


@dataclass(frozen=True)
class Outcome:
    """The tokens after a prompt, the one that ended them included; seconds are of the clock that was given."""

    tokens: list[int]
    steps: int
    """Evaluations by the target after the prompt's own."""
    prefill_s: float
    decode_s: float
    rounds: list[Round] = field(default_factory=list)


def plain(target: Greedy, prompt: Sequence[int], limit: int, ends: Ends, clock: Clock) -> Outcome:
    """One token a step, up to `limit` (at least 1) or an end."""
    started = clock()
    tokens = [target.begin(prompt)]
    begun = clock()
    while len(tokens) < limit and not ends(tokens):
        tokens.append(target.follow(tokens[-1:])[-1])
    return Outcome(tokens, len(tokens) - 1, begun - started, clock() - begun)


def speculative(
    target: Greedy, draft: Greedy, prompt: Sequence[int], k: int, limit: int, ends: Ends, clock: Clock
) -> Outcome:
    """Up to `k` (at least 1) tokens proposed a step, up to `limit` (at least 1) tokens or an end.

    The draft stops proposing at an end of its own, and never proposes beyond what the limit leaves.
    """
    started = clock()
    tokens = [target.begin(prompt)]
    draft.begin(prompt)
    begun = clock()
    rounds: list[Round] = []
    seen = 0  # of `tokens`, what the draft has evaluated
    while len(tokens) < limit and not ends(tokens):
        start = len(tokens)
        proposed = _propose(draft, tokens, seen, min(k, limit - start - 1), ends)
        answers = target.follow([tokens[-1], *proposed])
        accepted = 0
        while accepted < len(proposed) and proposed[accepted] == answers[accepted]:
            accepted += 1
        rounds.append(Round(start, tuple(proposed), accepted))
        for answer in answers[: accepted + 1]:
            tokens.append(answer)
            if ends(tokens):
                break
        target.keep(start + accepted)
        if proposed:
            seen = start + min(accepted, len(proposed) - 1)
            draft.keep(seen)
    return Outcome(tokens, len(rounds), begun - started, clock() - begun, rounds)


def _propose(draft: Greedy, tokens: Sequence[int], seen: int, count: int, ends: Ends) -> list[int]:
    """What the draft thinks comes next."""
    proposed: list[int] = []
    unseen: Sequence[int] = tokens[seen:]
    while len(proposed) < count:
        proposed.append(draft.follow(unseen)[-1])
        unseen = proposed[-1:]
        if ends([*tokens, *proposed]):
            break
    return proposed
