"""How long a prompt the local model reads in time: learnt from its own answers, and contexts cut to that; pure.

The time to the first token of a prompt of which nothing was read before is the time to read it: tokens read anew over
seconds gives the speed. A context is cut to what is read in READ_S at that speed, so that the first suggestion in a
document that was never read comes in time; what is typed afterwards costs a token or so a key.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections import deque
from typing import Final

from lsp_server.sources.base import Ended
from wire_protocol.frames import Context, Snippet

READ_S: Final = 0.120
"""Of the 200 ms that a suggestion may take; the rest is for its own tokens (DESIGN.md section 3)."""
MIN_READ_TOKENS: Final = 128
"""Tokens read anew from which the first token's own time and the rest of the way are small beside reading."""
LOOKED_AT: Final = 9
"""Measurements of which the median counts: one beside a busy program, or after a sleep, says little."""
MIN_CHARACTERS: Final = 1_500
"""Some 40 lines: with less, suggestions are wrong more often than they are late."""
STEPS_PER_DOUBLING: Final = 2
"""The limit is a power of the square root of two, and moves only by whole steps and SLACK beyond: each move of it costs
the KV cache of every document."""
SLACK: Final = 0.25
"""Of a step."""
STEP_LINES: Final = 32
"""As the window's own (`lsp_server.context`): where it is cut is a multiple of it too, from key to key."""
STEP_CHARACTERS: Final = 1_024
"""Where lines are so long that steps of lines would cut away more than half."""
SNIPPETS_SHARE: Final = 3
AFTER_SHARE: Final = 6
"""Of the limit, a third and a sixth at most; the rest, half of it at least, is for the text before the cursor."""


class Prefill:
    """What is known of one local model's reading speed on this machine."""

    def __init__(self) -> None:
        self._speeds: deque[float] = deque(maxlen=LOOKED_AT)
        self._step: int | None = None

    @property
    def characters_per_s(self) -> float | None:
        """The median reading speed, in characters of a context; None while nothing was measured."""
        return statistics.median(self._speeds) if self._speeds else None

    @property
    def characters(self) -> int | None:
        """What a context may have; None while nothing was measured."""
        return None if self._step is None else max(MIN_CHARACTERS, int(2 ** (self._step / STEPS_PER_DOUBLING)))

    def answered(self, context: Context, end: Ended) -> None:
        """The model answered: `context` as it was sent, and what its worker counted."""
        read = end.usage.prompt_tokens - end.usage.reused_tokens
        took_s = (end.timings.first_token_ms - end.timings.queue_ms) / 1_000
        if read < MIN_READ_TOKENS or took_s <= 0 or end.usage.prompt_tokens <= 0:
            return
        self._speeds.append(size(context) / end.usage.prompt_tokens * read / took_s)
        exact = STEPS_PER_DOUBLING * math.log2(max(1.0, statistics.median(self._speeds) * READ_S))
        if self._step is None or not -SLACK <= exact - self._step < 1 + SLACK:
            self._step = math.floor(exact)

    def sized(self, context: Context) -> Context:
        """`context` as long as it is read in time: snippets dropped from the last, text cut away from the cursor."""
        limit = self.characters
        if limit is None or size(context) <= limit:
            return context
        snippets = _first(context.snippets, limit // SNIPPETS_SHARE)
        after = _whole_lines(context.after, limit // AFTER_SHARE)
        room = limit - len(after) - sum(map(_length, snippets))  # not less what is typed: the cut must stay
        return Context(
            before=_from_line(context.before, room),
            typed=context.typed,
            tail=context.tail,
            after=after,
            snippets=snippets,
            path=context.path,
            language=context.language,
        )


def size(context: Context) -> int:
    """Characters of a context that the model reads."""
    own = len(context.before) + len(context.typed) + len(context.tail) + len(context.after)
    return own + sum(map(_length, context.snippets))


def _length(snippet: Snippet) -> int:
    return len(snippet.path) + len(snippet.text)


def _first(snippets: list[Snippet], room: int) -> list[Snippet]:
    kept: list[Snippet] = []
    for snippet in snippets:
        room -= _length(snippet)
        if room < 0:
            break
        kept.append(snippet)
    return kept


def _whole_lines(text: str, room: int) -> str:
    """The start of `text`, to the end of a line unless that would leave less than half."""
    if len(text) <= room:
        return text
    end = text.rfind("\n", 0, room) + 1
    return text[: end if end >= room // 2 else room]


def _from_line(text: str, room: int) -> str:
    """The end of `text` in at most `room` characters, from a line on whose number is a multiple of STEP_LINES."""
    surplus = len(text) - room
    if surplus <= 0:
        return text
    ends = list(itertools.accumulate(len(line) + 1 for line in text.split("\n")))
    start = next((end for end in ends[STEP_LINES - 1 :: STEP_LINES] if end >= surplus), len(text))
    if start <= len(text) - room // 2:
        return text[start:]
    return text[-(-surplus // STEP_CHARACTERS) * STEP_CHARACTERS :]
