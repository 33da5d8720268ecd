"""How long to wait for quiet before a model is asked; pure.

Counted from the edit, not from the request: editors add a delay of their own before they ask.
"""

from __future__ import annotations

from typing import Final

QUIET_MS: Final = 50
"""Milliseconds without a key after which a pause is likely, where nothing is known of the person."""


class Pacing:
    """The quiet time of one installation, in milliseconds."""

    def __init__(self, quiet_ms: int = QUIET_MS) -> None:
        self._quiet_s = quiet_ms / 1_000

    def wait_s(self, *, now: float, changed_at: float | None, invoked: bool, new_line: bool) -> float:
        """Seconds from `now` until a model is asked; clock seconds, `changed_at` None if nothing was typed yet.

        An explicit request and a new line are pauses by themselves: they do not wait.
        """
        if invoked or new_line or changed_at is None:
            return 0.0
        return max(0.0, changed_at + self._quiet_s - now)
