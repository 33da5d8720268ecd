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
    survival: bool = True
    """Show, generate and follow as much of a text as has mostly survived typing lately; else all of it."""
    pause_showing: bool = True
    """Show what is less sure once the person stops; else never."""
    shortening: bool = True
    """Ask for as many tokens as a text of such a source is worth; else for the usual number."""
    confidence: bool = True
    """Hide what the model itself was least sure of."""
    reindenting: bool = True
    """Indent what is left of a kept text as the editor indented; else it is no match."""
    overtyping: bool = True
    """Know a kept text again behind brackets that the editor closed, or that were typed over."""
    backspacing: bool = True
    """Put back what was deleted with what followed it."""
    revalidating: bool = True
    """Show a kept text whose wider surroundings changed, and ask anew; else it is no match."""
    blocks: bool = True
    """Several lines where the syntax opens a block; else one, unless asked for."""
    superseding: bool = True
    """Name in a request those that it makes pointless; else they are cancelled by a message of their own alone."""
    early_cancelling: bool = True
    """End what a key contradicts at the edit; else when the editor asks."""
    quiet_edits: bool = True
    """Ask nobody after an undo, a burst of deletions, an edit elsewhere."""
    trim_repeated_text: bool = True
    """Leave out what the file or the prompt has already."""
    trim_brackets: bool = True
    """Leave out closing brackets that are there already."""
    trim_circles: bool = True
    """Leave out repetition of itself."""
    trim_indentation: bool = True
    """Indent as the file does."""
    trim_faults: bool = True
    """Leave out bad starts, empty comments, new syntax errors, what is too short, blanks, unfinished lines."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """All but those that `FORETYPE_WITHOUT` names. Raises ValueError, one sentence, for a name that is none."""
        without = [name.strip() for name in environ.get(WITHOUT, "").split(",") if name.strip()]
        known = [each.name for each in fields(cls)]
        for name in without:
            if name not in known:
                raise ValueError(f"{WITHOUT} names {name!r}, which is no technique: {', '.join(known)} are.")
        return cls(**dict.fromkeys(without, False))
