"""Tokens that were generated, and those of them that nobody saw, by purpose; pure.

A generation's text was seen as far as it stood on screen or was typed through. The rule is the one of the client
benchmark's ledger: of several generations with the same text one alone gets the credit. Its tokens are taken to be of
equal length.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Final

from wire_protocol.agreement import continuation
from wire_protocol.frames import Context, Kind

MAX_REMEMBERED: Final = 48
"""Generations that may still be seen: what was generated longer ago, at six a minute, is out of the cache. Contexts
share their texts with the cache's, and take at most 12 KB each."""


@dataclass(eq=False, slots=True)
class _Generated:
    purpose: str
    context: Context
    text: str
    tokens: int
    seen: int = 0
    """Characters of `text`, from its start."""


class Tokens:
    """The generations of a session: `tally` counts `tokens_…_foreground` and `tokens_…_prefetch`."""

    def __init__(self) -> None:
        self.tally: Counter[str] = Counter()
        self._recent: deque[_Generated] = deque(maxlen=MAX_REMEMBERED)
        self._unclaimed: tuple[Context, str] | None = None
        """What is on screen of a generation that is still running."""
        self._credited: _Generated | None = None
        """What the last text on screen came from: while somebody types through it, the next one does too."""

    def generated(self, kind: Kind, context: Context, text: str, tokens: int) -> None:
        """A generation at `context` came to its end, or was stopped."""
        purpose = "prefetch" if kind == "prefetch" else "foreground"
        self.tally[f"tokens_generated_{purpose}"] += tokens
        if text and tokens:
            self._recent.append(_Generated(purpose, context, text, tokens))
            if self._unclaimed is not None:
                self.saw(*self._unclaimed)

    def saw(self, context: Context, text: str) -> None:
        """`text` stood on screen at `context`."""
        best, reached = self._credited, 0 if self._credited is None else _seen(self._credited, context, text)
        if not reached:
            best, reached = self._find(context, text)
        self._unclaimed = (context, text) if best is None else None
        self._credited = best
        if best is not None and reached > best.seen:
            before = best.tokens * best.seen // len(best.text)
            best.seen = reached
            self.tally[f"tokens_seen_{best.purpose}"] += best.tokens * reached // len(best.text) - before

    def _find(self, context: Context, text: str) -> tuple[_Generated | None, int]:
        """What `text` came from, and how much of it is seen now: one that was seen before, else the newest."""
        best, reached = None, 0
        for each in reversed(self._recent):
            seen = _seen(each, context, text)
            if seen and (best is None or (each.seen > 0) > (best.seen > 0)):
                best, reached = each, seen
        return best, reached


def _seen(generated: _Generated, context: Context, text: str) -> int:
    """How many characters of a generation come before the end of `text` at `context`; 0 if that is not from it."""
    typed = continuation(generated.context, context)
    if typed is None or not generated.text.startswith(typed):
        return 0
    rest = generated.text[len(typed) :]
    # What was trimmed away at its end was not seen; what was put in front of it (an indentation) is another text.
    return len(typed) + min(len(rest), len(text)) if rest and (rest.startswith(text) or text.startswith(rest)) else 0
