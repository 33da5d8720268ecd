"""The statistics of one session: takes events of the completer and the editor, gives counts; numbers only, no text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from lsp_server.documents import Change, Snapshot
from lsp_server.statistics.counters import Counters
from lsp_server.statistics.names import nested
from lsp_server.statistics.outcomes import Inserted, Outcomes
from lsp_server.statistics.suggestion import AT_ONCE, Suggestion
from lsp_server.statistics.survival import Read, Survival
from wire_protocol.frames import Context


class Statistics:
    """`clock` gives seconds, `read` the texts of the open documents; without it nothing is known of what is kept."""

    def __init__(self, counters: Counters, clock: Callable[[], float], read: Read = lambda uri: None) -> None:
        self.counters = counters
        self.outcomes = Outcomes()
        self.survival = Survival(read)
        self._clock = clock
        self._versions: dict[str, int] = {}

    # What the completer tells.

    def changed(self, uri: str, change: Change) -> None:
        """A document changed, and can be read as it is now."""
        self._versions[uri] = change.version
        if change.single and len(change.inserted) < AT_ONCE:
            self.counters.typed_characters += len(change.inserted)
        self.survival.changed(uri, change)
        self._follow(self.outcomes.changed(uri, change, self._clock()))

    def closed(self, uri: str) -> None:
        """A document was closed, or opened anew."""
        self._versions.pop(uri, None)
        self.outcomes.closed(uri, self._clock())
        self.survival.closed(uri)

    def asked(self, snapshot: Snapshot, channel: str) -> None:
        """The editor asks with its cursor there."""
        cursor = self.outcomes.cursor(snapshot.uri, channel)
        if cursor is None or cursor == snapshot.offset:
            return
        between = snapshot.text.slice(cursor, snapshot.offset) if cursor < snapshot.offset else ""
        self._follow(self.outcomes.asked(snapshot.uri, channel, self._clock(), snapshot.offset, between))

    def given(self, id: int, snapshot: Snapshot, context: Context, channel: str, text: str, source: str) -> None:
        """Answer `id` gave `text` at the cursor of `snapshot`."""
        outdated = self._versions.get(snapshot.uri, snapshot.version) != snapshot.version
        suggestion = Suggestion(
            uri=snapshot.uri,
            channel=channel,
            language=snapshot.language_id,
            source=source,
            start=snapshot.offset,
            text=text,
            outdated=outdated,
        )
        self.outcomes.settle(self._clock())
        self.outcomes.given(id, suggestion, self._clock())
        if not outdated:
            self.counters.tokens.saw(context, text)

    # What the editor reports.

    def reported_shown(self, id: int) -> None:
        """The editor shows answer `id`."""
        self.outcomes.reported_shown(id)

    def accepted(self, id: int) -> bool:
        """Answer `id` was accepted; False if it is not known (any more)."""
        inserted = self.outcomes.accepted(id, self._clock())
        self._follow([] if inserted is None else [inserted])
        return inserted is not None

    def accepted_partly(self, id: int, units: int) -> None:
        """Of answer `id`, its first `units` of UTF-16 were accepted, in all."""
        inserted = self.outcomes.accepted_partly(id, units, self._clock())
        self._follow([] if inserted is None else [inserted])

    def _follow(self, inserted: Iterable[Inserted]) -> None:
        for each in inserted:
            self.survival.accepted(each, self._clock())

    # Counts.

    def look(self) -> None:
        """Count what has become certain; to be called now and then."""
        now = self._clock()
        self.outcomes.settle(now)
        self.survival.look(now)

    def finish(self) -> None:
        """The session ends."""
        self.look()
        self.outcomes.finish(self._clock())
        self.survival.finish()

    def counts(self) -> Counter[str]:
        """What is certain, by the names of `names`; each count only grows."""
        return self.outcomes.settled() + self.survival.tally + Counter(self.counters.counts())

    def so_far(self) -> dict[str, Any]:
        """The answer to `foretype/stats`: with what became of the newest suggestions, as far as it is known."""
        counts = self.outcomes.so_far() + self.survival.tally + Counter(self.counters.counts())
        return nested({**dict.fromkeys(self.counters.counts(), 0), **counts})
