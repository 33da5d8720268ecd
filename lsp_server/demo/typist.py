"""The person who types in the demo: keys, human pauses, and which suggestions that person accepts; pure."""

from __future__ import annotations

import random
from typing import Final

MIN_ACCEPTED: Final = 3
"""Characters, blanks aside, below which nobody bothers to press Tab."""

_WORD_PAUSE: Final = 1.6
"""Factor on the pause before a key that follows a word's end: people pause at boundaries."""

_LINE_PAUSE: Final = 4.0
"""Factor on the pause after a new line, where people think."""

_JITTER: Final = 0.45
"""Standard deviation of the logarithm of a pause; inter-key times are close to log-normal."""


class Typist:
    """Types `truth` key by key; Enter brings the next line's indentation, as an editor's auto-indent does.

    `pace` is the median time between keys inside a word, in seconds.
    """

    def __init__(self, truth: str, pace: float, seed: int) -> None:
        self._truth = truth
        self._pace = pace
        self._random = random.Random(seed)
        self._at = 0
        self._previous = "\n"

    @property
    def rest(self) -> str:
        """What is still to be typed."""
        return self._truth[self._at :]

    @property
    def share(self) -> float:
        """How much has been typed, from 0 to 1."""
        return self._at / len(self._truth) if self._truth else 1.0

    @property
    def done(self) -> bool:
        """Whether everything is there."""
        return self._at >= len(self._truth)

    def next_pause(self) -> float:
        """Seconds this person waits before the next key."""
        pause = self._pace * self._random.lognormvariate(0.0, _JITTER)
        if "\n" in self._previous:
            return pause * _LINE_PAUSE
        if not self._previous.isalnum() and self._previous != "_":
            return pause * _WORD_PAUSE
        return pause

    def next_key(self) -> str:
        """The text that the next key puts into the document."""
        self._previous = self._next_text()
        self._at += len(self._previous)
        return self._previous

    def _next_text(self) -> str:
        rest = self.rest
        if not rest.startswith("\n"):
            return rest[0]
        content = rest[1:]
        indent = len(content) - len(content.lstrip(" \t"))
        return rest[: 1 + indent]

    def wants(self, suggestion: str) -> bool:
        """Whether this person, who accepts only what they were about to write, would accept `suggestion`."""
        return len(suggestion.strip()) >= MIN_ACCEPTED and self.rest.startswith(suggestion)

    def types_through(self) -> bool:
        """Whether this time the person types on into a right suggestion instead of accepting it at once."""
        return self._random.random() < 0.5

    def accepted(self, suggestion: str) -> None:
        """The suggestion was inserted; it need not be typed."""
        self._at += len(suggestion)
