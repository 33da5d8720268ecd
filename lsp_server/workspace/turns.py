"""When the workspace's thread works and for how long, so that no key waits for it; pure.

Threads of one Python program share a lock: while the index runs, a key waits. Measured with `benchmarks.context --only
monorepo`: turns of 2 ms every 22 ms made one key in ten wait, up to 5 ms, which is how long Python lets a thread run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SWITCH_S: Final = 0.000_5
"""What `sys.setswitchinterval` is set to: seconds that a key waits while a file is looked through."""
TYPING_S: Final = 1.0
"""Seconds after a key for which a person is taken to be typing."""
KEY_S: Final = 0.03
"""Seconds after a key in which nothing is done: its completion is asked for then."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Seconds to work now, and to sleep after it."""

    work: float
    pause: float


IDLE: Final = Turn(0.002, 0.002)
TYPING: Final = Turn(0.000_5, 0.02)
"""One fortieth of the time: a folder of 100,000 files is looked through in the pauses of whoever types."""


def turn(since_key: float) -> Turn:
    """The next turn, so many seconds after the last key."""
    if since_key >= TYPING_S:
        return IDLE
    if since_key >= KEY_S:
        return TYPING
    return Turn(0.0, KEY_S - since_key)
