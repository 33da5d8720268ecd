"""Follows the texts generated for one document through what is typed: how far each was right, shown or not; pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final, Protocol

from lsp_server.cache import Entry
from lsp_server.cache.indentation import left_to_type
from lsp_server.cache.surroundings import NEAR_AFTER, Here, grown_by
from wire_protocol.frames import Context

MAX_TRIALS: Final = 4
"""Texts followed at once: the one that is shown, and the newer ones that were asked for since."""

SLIP: Final = 3
"""Characters typed beyond a contradiction up to which it may be a slip that is mended."""


_END: Final = "\0"


class Estimate(Protocol):
    """What learns from trials: offsets are characters from where a text was generated."""

    def begin(self) -> None: ...

    def agreed(self, start: int, end: int) -> None: ...

    def contradicted(self, at: int) -> None: ...

    def take_back(self, at: int) -> None: ...

    def survives(self, start: int, end: int) -> float: ...


@dataclass(eq=False, slots=True)
class _Trial:
    entry: Entry
    told: tuple[Estimate, ...]
    before: str
    """What stood before the cursor where it could first be shown."""
    rest: str
    """The first NEAR_AFTER characters of what followed."""
    text: str
    """What it says from there on."""
    offset: int
    """Characters of the entry before that."""
    reached: int = 0
    """Characters of `text` that were typed."""
    wrong_at: int | None = None
    """Where what is typed now contradicts it."""


class Trials:
    """Of one document."""

    def __init__(self) -> None:
        self._open: deque[_Trial] = deque(maxlen=MAX_TRIALS)
        self._last: Entry | None = None

    def begin(self, entry: Entry, told: tuple[Estimate, ...], context: Context, left: str, offset: int) -> bool:
        """`left` of a text could be shown at `context`, `offset` characters after it was generated.

        False if that is known.
        """
        if entry is self._last or any(trial.entry is entry for trial in self._open):
            return False
        self._last = entry
        for each in told:
            each.begin()
        here = Here(context)
        self._open.append(_Trial(entry, told, here.text, here.rest[:NEAR_AFTER], left, offset))
        return True

    def follow(self, context: Context) -> None:
        """The cursor is at `context` now."""
        if self._open:
            here = Here(context)
            self._open = deque((trial for trial in self._open if _goes_on(trial, here)), MAX_TRIALS)


def _goes_on(trial: _Trial, here: Here) -> bool:
    """Learn from what was typed; whether more can be learnt."""
    # Not by the contexts' parts: mending a slip may look like an undo, after which a new burst of typing begins.
    if not here.text.startswith(trial.before):
        return False
    typed = here.text[len(trial.before) :]
    if grown_by(trial.rest, here.rest, typed) is None:
        return False
    agreed = _agreed(trial, here.text, typed)
    if agreed is not None:
        if trial.wrong_at is not None:
            for each in trial.told:
                each.take_back(trial.offset + trial.wrong_at)
            trial.wrong_at = None
        _reach(trial, agreed)
        return agreed < len(trial.text)
    at = next(at for at, (one, other) in enumerate(zip(trial.text, typed, strict=False)) if one != other)
    if trial.wrong_at is None:
        _reach(trial, at)
        trial.wrong_at = at
        for each in trial.told:
            each.contradicted(trial.offset + at)
    return len(typed) - at <= SLIP


def _agreed(trial: _Trial, text: str, typed: str) -> int | None:
    """How much of the text is typed; None if what is typed contradicts it."""
    if trial.text.startswith(typed):
        return len(typed)
    if typed.startswith(trial.text):
        return len(trial.text)
    # With an end that nobody types: without it, no more to type and a contradiction would be one answer.
    left, _ = left_to_type(trial.text + _END, text, len(trial.before))
    return None if left is None else max(0, len(trial.text) + len(_END) - len(left))


def _reach(trial: _Trial, agreed: int) -> None:
    if agreed > trial.reached:
        for each in trial.told:
            each.agreed(trial.offset + trial.reached, trial.offset + agreed)
        trial.reached = agreed
