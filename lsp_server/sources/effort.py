"""How much work the local model may be given: less on a low battery and beside a busy CPU; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from wire_protocol.frames import Context

LOW_BATTERY_PERCENT: Final = 20.0
"""Unplugged and below it: where systems begin to save by themselves."""
BUSY_LOAD: Final = 0.90
CALM_LOAD: Final = 0.75
"""Shares of all cores that other programs use, over some ten seconds: soft from the first on, full again below the
second, so that it does not flap."""
HOLD_S: Final = 0.20
"""More quiet time before the local model is asked: most keys come within it, and then it is not asked at all."""
SOFT_LINES: Final = 64
"""Lines before the cursor that are left of the context: half of what a function and its neighbours take."""
SOFT_AFTER_LINES: Final = 16
STEP_LINES: Final = 32
"""The cut moves in steps, as the window itself does, so that the KV cache survives from key to key."""


@dataclass(frozen=True, slots=True)
class Power:
    """The machine's state: battery in percent (None: there is none), whether it is plugged in, `load` from 0 to 1."""

    percent: float | None = None
    plugged: bool = True
    load: float = 0.0


@dataclass(frozen=True, slots=True)
class Effort:
    """What the local model is given.

    `prefetch`: whether also what nobody waits for; `ahead`: whether it reads ahead; `hold_s`: more seconds of quiet
    before it is asked; `lines`: how many of the context before the cursor, None for all.
    """

    why: str = ""
    prefetch: bool = True
    ahead: bool = True
    hold_s: float = 0.0
    lines: int | None = None

    def shortened(self, context: Context) -> Context:
        """`context` as long as this effort allows: whole lines, cut away from the cursor."""
        if self.lines is None:
            return context
        before = context.before.split("\n")
        surplus = len(before) - self.lines
        if surplus > 0:
            before = before[-(-surplus // STEP_LINES) * STEP_LINES :]
        after = context.after.split("\n")[:SOFT_AFTER_LINES]
        return replace_context(context, "\n".join(before), "\n".join(after))


def replace_context(context: Context, before: str, after: str) -> Context:
    """`context` without its snippets and with other surroundings."""
    return Context(
        before=before,
        typed=context.typed,
        tail=context.tail,
        after=after,
        path=context.path,
        language=context.language,
    )


FULL: Final = Effort()
FRUGAL: Final = Effort(why="the battery is in use", ahead=False)
SOFT: Final = Effort(prefetch=False, ahead=False, hold_s=HOLD_S, lines=SOFT_LINES)


class EffortPolicy:
    """Told the machine's state from time to time; says what the local model may be given."""

    def __init__(self) -> None:
        self._busy = False

    def judge(self, power: Power) -> Effort:
        """The effort that `power` allows."""
        self._busy = power.load >= (CALM_LOAD if self._busy else BUSY_LOAD)
        on_battery = power.percent is not None and not power.plugged
        if on_battery and power.percent is not None and power.percent <= LOW_BATTERY_PERCENT:
            return replace(SOFT, why=f"the battery is at {power.percent:.0f} %")
        if self._busy:
            return replace(SOFT, why="the machine is busy")
        return FRUGAL if on_battery else FULL
