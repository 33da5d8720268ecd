"""What goes to the edge of the counts, by minute, and only while telemetry is switched on; pure."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from typing import Final, Protocol, runtime_checkable

from wire_protocol.frames import MAX_MINUTES, Feedback, FeedbackMinute

MINUTE_S: Final = 60.0

NAMES: Final[dict[str, tuple[str, ...]]] = {
    "shown": ("shown", "shown_inferred"),
    "accepted": ("accepted", "accepted_inferred"),
    "partial": ("accepted_partly",),
    "dismissed": ("dismissed_inferred",),
    "characters": ("accepted_characters",),
}
"""The frame's numbers, and of which counts each is the sum."""


@runtime_checkable
class TakesFeedback(Protocol):
    """A source that can pass counts on to an edge."""

    def send_feedback(self, frame: Feedback) -> bool:
        """Send it; False if there is no edge now."""
        ...


class Minutes:
    """The counts by minute that were not sent yet: a day of them at most."""

    def __init__(self) -> None:
        self._before: Counter[str] = Counter()
        self._minutes: deque[FeedbackMinute] = deque(maxlen=MAX_MINUTES)

    def add(self, counts: Mapping[str, int], epoch_s: float, *, wanted: bool) -> None:
        """The session's `counts` have come to this by `epoch_s`; what grew while it was not `wanted` is never sent."""
        now = {what: sum(counts.get(name, 0) for name in names) for what, names in NAMES.items()}
        grown = {what: max(0, count - self._before[what]) for what, count in now.items()}
        self._before = Counter(now)
        if not wanted:
            self._minutes.clear()
        elif any(grown.values()):
            self._minutes.append(FeedbackMinute(minute=int(epoch_s // MINUTE_S), **grown))

    def frame(self) -> Feedback | None:
        """What is to be sent; None if nothing is."""
        return Feedback(minutes=list(self._minutes)) if self._minutes else None

    def sent(self) -> None:
        """It was."""
        self._minutes.clear()
