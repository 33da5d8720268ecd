"""What a backend was asked and generated, who saw it, and what of it was cancelled; the same book for every client."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Purpose = Literal["foreground", "prefetch"]


@dataclass(eq=False, slots=True)
class Record:
    """One generation. `place` is where it began in the finished text, None if that is not known."""

    purpose: Purpose
    place: int | None
    began_s: float
    text: str = ""
    tokens: int = 0
    ended: Literal["running", "done", "cancelled"] = "running"
    seen: int = 0
    """Characters of `text`, from its start, that were on screen or typed through."""

    @property
    def seen_tokens(self) -> float:
        """Its tokens, as far as they were seen."""
        return self.tokens * self.seen / len(self.text) if self.text else 0.0


@dataclass(eq=False, slots=True)
class Ledger:
    """All generations of one run of one client."""

    records: list[Record] = field(default_factory=list)

    def saw(self, place: int, text: str) -> None:
        """Ghost text stood at `place` of the finished text: the generation that it came from was not in vain.

        Of several with the same text one alone gets the credit: who has some of it already, else the newest that came
        to its end; so what a client asks for twice counts as waste once.
        """
        matching = [(record, seen) for record in self.records if (seen := _seen(record, place, text))]
        if matching:
            record, seen = max(
                matching, key=lambda each: (each[0].seen > 0, each[0].ended != "cancelled", each[0].began_s)
            )
            record.seen = max(record.seen, seen)

    def saw_beside(self, text: str) -> None:
        """Ghost text stood behind a slip, which is at no place of the finished text: the newest that holds it."""
        for record in reversed(self.records):
            if record.place is None and (at := record.text.find(text)) >= 0:
                record.seen = max(record.seen, at + len(text))
                return

    def tokens(self, purpose: Purpose) -> int:
        """Tokens generated for this purpose."""
        return sum(record.tokens for record in self._of(purpose))

    def unseen_tokens(self, purpose: Purpose) -> float:
        """Those of them that nobody saw."""
        return sum(record.tokens - record.seen_tokens for record in self._of(purpose))

    def requests(self, purpose: Purpose) -> int:
        """Generations begun for this purpose."""
        return sum(1 for _ in self._of(purpose))

    @property
    def cancelled(self) -> int:
        """Generations that were cancelled."""
        return sum(record.ended == "cancelled" for record in self.records)

    @property
    def characters_a_token(self) -> float:
        """Mean characters of a generated token; 3 where nothing was generated."""
        tokens = sum(record.tokens for record in self.records)
        return sum(len(record.text) for record in self.records) / tokens if tokens else 3.0

    def _of(self, purpose: Purpose) -> Iterable[Record]:
        return (record for record in self.records if record.purpose == purpose)


def _seen(record: Record, place: int, text: str) -> int:
    """How many characters of a generation come before the end of `text` at `place`; 0 if that is not from it."""
    if record.place is None:
        return 0
    ahead = place - record.place
    if not 0 <= ahead < len(record.text):
        return 0
    common = _common(record.text[ahead:], text)
    return ahead + common if common == min(len(text), len(record.text) - ahead) else 0


def _common(one: str, other: str) -> int:
    limit = min(len(one), len(other))
    return next((at for at in range(limit) if one[at] != other[at]), limit)
