"""What became of all suggestions of a session: each is counted once, when its end is certain; pure.

An editor may report an acceptance after the change that it made, and after the next request. So what is inferred is
counted only when `GRACE_S` have passed without a report that says otherwise.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Final

from cachetools import LRUCache

from lsp_server.documents import Change
from lsp_server.statistics.names import LANGUAGE, SOURCE, plain
from lsp_server.statistics.suggestion import Outcome, Suggestion

GRACE_S: Final = 2.0
"""Seconds that a report may come after what it reports: an editor's round trip, and a busy moment of it."""

UNREAD_S: Final = 0.1
"""Seconds in which nobody reads anything: one cycle of perception (S. Card, T. Moran, A. Newell, "The Psychology of
Human-Computer Interaction", 1983). Who types on meanwhile has not refused what stood there."""

MAX_REMEMBERED: Final = 256
"""Answers that can still be reported on: an editor shows one at a time."""
MAX_STANDING: Final = 64
"""Documents whose suggestion is followed."""
MAX_LANGUAGES: Final = 24
"""Languages of a session counted apart; the rest is `other`."""


@dataclass(eq=False, slots=True)
class _Answer:
    """One answer by which a suggestion was given: what was left of it then, and how much of that was accepted."""

    suggestion: Suggestion
    text: str
    accepted: int = 0


@dataclass(frozen=True, slots=True)
class Inserted:
    """A text that was accepted, with the place where its suggestion was given."""

    uri: str
    start: int
    cursor: int
    """Behind what the document had of the suggestion when this was known."""
    text: str


class Outcomes:
    """All suggestions of a session."""

    def __init__(self) -> None:
        self.infers_accepts = False
        """Whether the editor does not report acceptance, so that it is inferred."""
        self._reports_shown = False
        self._tally: Counter[str] = Counter()
        self._answers: LRUCache[int, _Answer] = LRUCache(MAX_REMEMBERED)
        self._standing: LRUCache[tuple[str, str], Suggestion] = LRUCache(MAX_STANDING)
        self._ended: deque[Suggestion] = deque()
        self._languages: set[str] = set()

    # What the documents and the completer tell.

    def asked(self, uri: str, channel: str, now: float, offset: int, between: str) -> list[Inserted]:
        """The cursor of a request is at `offset`; see `Suggestion.move`. Returns what was accepted by that."""
        suggestion = self._standing.get((uri, channel))
        if suggestion is None:
            return []
        suggestion.move(offset, between)
        return self._look_at(suggestion, now)

    def cursor(self, uri: str, channel: str) -> int | None:
        """Where the cursor was while the suggestion of a document stood; None if none does."""
        suggestion = self._standing.get((uri, channel))
        return None if suggestion is None else suggestion.cursor

    def given(self, id: int, suggestion: Suggestion, now: float) -> None:
        """Answer `id` gave `suggestion`: a new one, or what is left of the one that stands, or more of it."""
        key = suggestion.uri, suggestion.channel
        before, text = self._standing.get(key), suggestion.text
        if before is not None and not suggestion.outdated and before.extend(suggestion.start, text):
            suggestion = before
        else:
            suggestion.given_at = now
            suggestion.infers_accepts = self.infers_accepts
            suggestion.language = self._language(suggestion.language)
            if suggestion.outdated:
                self._end(suggestion, now)
            else:
                if before is not None:
                    self._end(before, now)
                elif len(self._standing) >= MAX_STANDING:
                    self._end(self._standing.popitem()[1], now)
                self._standing[key] = suggestion
        self._answers[id] = _Answer(suggestion, text)

    def changed(self, uri: str, change: Change, now: float) -> list[Inserted]:
        """A document changed. Returns what was accepted by that, as far as it is inferred."""
        found: list[Inserted] = []
        for suggestion in self._of(uri):
            if change.whole:
                suggestion.ignore()
            for edit in change.edits:
                suggestion.edit(edit)
            found += self._look_at(suggestion, now)
        return found

    def closed(self, uri: str, now: float) -> None:
        """A document was closed."""
        for suggestion in self._of(uri):
            self._end(suggestion, now)

    def _of(self, uri: str) -> list[Suggestion]:
        return [suggestion for key, suggestion in self._standing.items() if key[0] == uri]

    def _look_at(self, suggestion: Suggestion, now: float) -> list[Inserted]:
        if suggestion.outcome is None:
            return []
        self._end(suggestion, now)
        if suggestion.outcome is not Outcome.ACCEPTED_INFERRED:
            return []
        text = suggestion.text[len(suggestion.text) - suggestion.accepted_characters :]
        return [Inserted(suggestion.uri, suggestion.start, suggestion.cursor, text)]

    def _end(self, suggestion: Suggestion, now: float) -> None:
        suggestion.ignore()  # if nothing else became of it
        suggestion.ended_at = now
        key = suggestion.uri, suggestion.channel
        if self._standing.get(key) is suggestion:
            del self._standing[key]
        self._ended.append(suggestion)

    # What the editor reports.

    def reported_shown(self, id: int) -> None:
        """The editor shows answer `id`."""
        self._reports_shown = True
        if (answer := self._answers.get(id)) is not None:
            answer.suggestion.shown = True

    def accepted(self, id: int, now: float) -> Inserted | None:
        """Answer `id` was accepted; None if it is not known (any more)."""
        answer = self._answers.pop(id, None)
        if answer is None or answer.suggestion.outcome in (Outcome.ACCEPTED, Outcome.ACCEPTED_INFERRED):
            return None
        suggestion = answer.suggestion
        suggestion.accept(len(answer.text) - answer.accepted)
        if suggestion not in self._ended:
            self._end(suggestion, now)
        self._ended.remove(suggestion)
        self._count(self._tally, suggestion)
        return Inserted(suggestion.uri, suggestion.start, suggestion.cursor, answer.text)

    def accepted_partly(self, id: int, units: int, now: float) -> Inserted | None:
        """Of answer `id`, its first `units` of UTF-16 were accepted (in all). Returns its text if that is all of it."""
        answer = self._answers.get(id)
        if answer is None:
            return None
        characters = _characters(answer.text, units)
        if characters >= len(answer.text):
            return self.accepted(id, now)
        if characters > answer.accepted:
            answer.suggestion.accept_part(characters - answer.accepted)
            answer.accepted = characters
            if answer.suggestion.outcome not in (None, Outcome.ACCEPTED, Outcome.ACCEPTED_INFERRED):
                answer.suggestion.outcome = Outcome.PARTLY
        return None

    # Counts.

    def settle(self, now: float) -> None:
        """Count those that ended long enough ago."""
        while self._ended and self._ended[0].ended_at <= now - GRACE_S:
            suggestion = self._ended.popleft()
            self._count(self._tally, suggestion)
            for id in [id for id, answer in self._answers.items() if answer.suggestion is suggestion]:
                del self._answers[id]

    def finish(self, now: float) -> None:
        """The session ends: what stands is gone, and everything is counted."""
        for suggestion in list(self._standing.values()):
            self._end(suggestion, now)
        self.settle(now + GRACE_S)

    def settled(self) -> Counter[str]:
        """The counts that are certain: they only grow."""
        return Counter(self._tally)

    def so_far(self) -> Counter[str]:
        """With those that ended a moment ago, and those of which a part was accepted, although that may change."""
        counts = self.settled()
        for suggestion in self._ended:
            self._count(counts, suggestion)
        for suggestion in self._standing.values():
            if suggestion.accepted_characters:
                self._count(counts, suggestion)
        return counts

    def _count(self, tally: Counter[str], suggestion: Suggestion) -> None:
        outcome = suggestion.outcome or Outcome.PARTLY
        taken = outcome in (Outcome.ACCEPTED, Outcome.ACCEPTED_INFERRED, Outcome.PARTLY)
        if not taken and not suggestion.shown and (self._reports_shown or suggestion.outdated):
            return  # nobody saw it
        counts = {"shown" if suggestion.shown else "shown_inferred": 1, str(outcome): 1}
        if outcome is Outcome.DISMISSED and suggestion.ended_at - suggestion.given_at < UNREAD_S:
            counts["dismissed_unread_inferred"] = 1
        if taken:
            counts["accepted_characters"] = suggestion.accepted_characters
            counts["saved_characters"] = suggestion.accepted_characters - suggestion.accept_keys
        for name, count in counts.items():
            tally[name] += count
            tally[f"{SOURCE}/{suggestion.source}/{name}"] += count
            tally[f"{LANGUAGE}/{suggestion.language}/{name}"] += count

    def _language(self, language: str) -> str:
        name = plain(language) or "other"
        if name not in self._languages and len(self._languages) >= MAX_LANGUAGES:
            return "other"
        self._languages.add(name)
        return name


def _characters(text: str, units: int) -> int:
    """How many characters of `text` its first `units` of UTF-16 are."""
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * max(0, units)].decode("utf-16-le", "ignore"))
