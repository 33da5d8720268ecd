"""Which techniques of the typing half are on: all of them, but where a benchmark switches one off to see its worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final, Self

WITHOUT: Final = "FORETYPE_WITHOUT"
"""Environment variable of the ablation benchmark: names of techniques to switch off, with commas. Not a setting."""


@dataclass(frozen=True, slots=True)
class Techniques:
    """Each is on unless a benchmark measures what it is worth."""

    adaptive_pacing: bool = True
    """Ask by expected value; else after the fixed quiet time."""
    pause_points: bool = True
    """Ask from the edit itself, before the editor does, where this person usually pauses."""
    prefetch: bool = True
    """Ask for what follows a suggestion while it is shown."""
    joining: bool = True
    """Wait for a generation in flight that agrees; else each key cancels and asks anew."""
    typing_through: bool = True
    """Answer from what was generated some keys ago; else only from what was generated for this very text."""
    no_flicker: bool = True
    """Replace what is shown only by text that extends it."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """All but those that `FORETYPE_WITHOUT` names. Raises ValueError, one sentence, for a name that is none."""
        without = [name.strip() for name in environ.get(WITHOUT, "").split(",") if name.strip()]
        known = [each.name for each in fields(cls)]
        for name in without:
            if name not in known:
                raise ValueError(f"{WITHOUT} names {name!r}, which is no technique: {', '.join(known)} are.")
        return cls(**dict.fromkeys(without, False))
