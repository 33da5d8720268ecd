"""The person at the keyboard: what they want to write, how long each key takes them, their slips; pure and seeded.

Everything random is drawn from the seed and the place in the text, never from what a client did: whoever is watched, it
is the same person, who pauses at the same places and makes the same slips.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

PAUSE_S: Final = 0.4
"""From here on a gap between keys is a pause: the person looks at the screen."""
READING_S: Final = 0.25
"""What it takes to see that ghost text is right, before Tab is pressed."""
AFTER_ACCEPT_S: Final = 0.6
"""Median look at what an accepted suggestion left, and at the next one."""
MIN_ACCEPTED: Final = 3
"""Visible characters below which nobody presses Tab."""
_JITTER: Final = 0.45
"""Standard deviation of the logarithm of inter-key times: close to log-normal in published keystroke data."""
_WORD_FACTOR: Final = 1.5
"""Keys after a word's end come later than those inside."""
_SLIPS: Final = "etaoinsrhl"


@dataclass(frozen=True, slots=True)
class Habits:
    """How somebody types. `pace_s` is the median time between keys inside a word; chances are per place."""

    pace_s: float = 0.14
    even: bool = False
    """Every gap is `pace_s`, and nobody pauses, slips, undoes or accepts: the simple traces."""
    pause_chance: float = 0.12
    line_pause_chance: float = 0.6
    slip_chance: float = 0.015
    undo_chance: float = 0.004
    accept_chance: float = 0.75


@dataclass(frozen=True, slots=True)
class Person:
    """Draws by the place in the text."""

    habits: Habits
    seed: int

    def _draw(self, kind: str, place: int) -> random.Random:
        return random.Random(f"{self.seed} {kind} {place}")

    def gap_s(self, place: int, previous: str) -> float:
        """Seconds before the key at `place`, which follows the character `previous`."""
        if self.habits.even:
            return self.habits.pace_s
        draw = self._draw("gap", place)
        gap = self.habits.pace_s * draw.lognormvariate(0.0, _JITTER)
        if not previous.isalnum() and previous != "_":
            gap *= _WORD_FACTOR
            chance = self.habits.line_pause_chance if previous == "\n" else self.habits.pause_chance
            if draw.random() < chance:
                gap = max(gap, draw.lognormvariate(0.0, _JITTER))  # thinks for about a second
        return gap

    def after_accept_s(self, place: int) -> float:
        """Seconds before the first key after a suggestion was accepted."""
        return AFTER_ACCEPT_S * self._draw("after", place).lognormvariate(0.0, _JITTER)

    def slips(self, place: int) -> str:
        """Wrong keys pressed at `place` before it is noticed; mostly none."""
        draw = self._draw("slip", place)
        if self.habits.even or draw.random() >= self.habits.slip_chance:
            return ""
        return "".join(draw.choice(_SLIPS) for _ in range(draw.randint(1, 3)))

    def undoes(self, place: int) -> bool:
        """Whether the last word is undone at `place`, and typed again."""
        return not self.habits.even and self._draw("undo", place).random() < self.habits.undo_chance

    def accepts(self, place: int, text: str) -> bool:
        """Whether right ghost text at `place` is accepted, rather than typed."""
        if self.habits.even or len(text.strip()) < MIN_ACCEPTED:
            return False
        return self._draw("accept", place).random() < self.habits.accept_chance
