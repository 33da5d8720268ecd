"""Requests whose contexts could not be rebuilt, held until their document comes again in full; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

MAX_DOCUMENTS: Final = 256
"""Documents with a `resend` outstanding, per session: a client answers each within a round trip, so more is a client
that never does; the oldest without a held request is forgotten, and asked for again when it comes up."""


class Held(NamedTuple):
    """A request that waits for its document: `deadline` on the session's clock, in seconds."""

    id: int
    doc: str
    deadline: float
    supersedes: tuple[int, ...]


@dataclass(slots=True)
class _Document:
    held: dict[int, Held] = field(default_factory=dict)


class ResendLedger:
    """One session's held requests. A document is in the ledger while a `resend` for it is outstanding."""

    def __init__(self) -> None:
        self._documents: dict[str, _Document] = {}
        self._doc_of: dict[int, str] = {}

    def __len__(self) -> int:
        """How many requests are held."""
        return len(self._doc_of)

    def __contains__(self, id: int) -> bool:
        return id in self._doc_of

    def doc_of(self, id: int) -> str | None:
        """The document that held request `id` waits for; None if it is not held."""
        return self._doc_of.get(id)

    def hold(self, held: Held) -> bool:
        """Hold a request; True if its document's `resend` has to be sent now (none is outstanding)."""
        document = self._documents.get(held.doc)
        first = document is None
        if document is None:
            self._make_room()
            document = self._documents[held.doc] = _Document()
        document.held[held.id] = held
        self._doc_of[held.id] = held.doc
        return first

    def _make_room(self) -> None:
        if len(self._documents) < MAX_DOCUMENTS:
            return
        idle = next((doc for doc, document in self._documents.items() if not document.held), None)
        if idle is not None:
            del self._documents[idle]

    def full_context_came(self, doc: str) -> list[Held]:
        """`doc` is known again: everything that was held for it, oldest first; nothing is outstanding any more."""
        document = self._documents.pop(doc, None)
        if document is None:
            return []
        for id in document.held:
            del self._doc_of[id]
        return list(document.held.values())

    def release(self, ids: Iterable[int]) -> list[Held]:
        """Stop holding these; those of them that were held. Their `resend` stays outstanding."""
        return [self._documents[doc].held.pop(id) for id in ids if (doc := self._doc_of.pop(id, None)) is not None]

    def expired(self, now: float) -> list[Held]:
        """Stop holding what nobody waits for any more at `now`."""
        late = [
            held.id for document in self._documents.values() for held in document.held.values() if held.deadline <= now
        ]
        return self.release(late)

    def next_deadline(self) -> float | None:
        """When `expired` will next have something to give."""
        return min(
            (held.deadline for document in self._documents.values() for held in document.held.values()),
            default=None,
        )
