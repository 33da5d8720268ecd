"""How much of a suggestion is shown, by how far its like survived typing lately; pure.

While somebody types, a wrong text is in the way and few right ones are taken; whoever pauses reads. So what is rather
sure is shown at once, and the rest of what is worth showing once the person has stopped.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Final, NamedTuple

from lsp_server.cache import Completeness, Entry, Match
from lsp_server.pacing_share import RecentShare
from lsp_server.sources.base import SourceName
from lsp_server.trust.calibration import Calibration, Judged
from lsp_server.trust.parts import part_ends, whole_lines
from lsp_server.trust.survival import Survival
from lsp_server.trust.trials import Estimate, Trials
from wire_protocol.frames import Context


class Chances(NamedTuple):
    """From which chance of being right on a text is shown."""

    first: float
    """That its first word is right: else nothing is shown."""
    further: float
    """That all is right up to there: so far it is shown."""


TYPING: Final = Chances(first=0.85, further=0.8)
"""While the person types. With `PAUSING` and `PAUSE_S` from replays of `benchmarks.client` with an oracle that is wrong
every 12 characters: as little wrong text stands as with clients that show hardly anything, and twice as much is right
as wrong. Beyond that right text goes as fast as wrong text does."""
PAUSING: Final = Chances(first=0.55, further=0.45)
"""Once the person has stopped, reading costs no key: what is more likely right than wrong."""

JUDGED_TYPING: Final = Chances(first=0.6, further=0.5)
JUDGED_PAUSING: Final = Chances(first=0.35, further=0.3)
"""The same where the model said how sure it is of this very text: its own word, corrected by how it fared, asks for
less margin than an average over other texts. In a pause about what people accept of suggestions (30 %; Ziegler et al.,
CACM 67(3), 2024)."""

PAUSE_S: Final = 0.18
"""Seconds of quiet from which on a person has stopped: beyond most gaps between two keys of a word, and such that what
is doubtful is on screen 200 ms after the key, too."""

MIN_CHARACTERS: Final = 2
"""Visible characters below which a part is not worth showing: it is typed sooner than read."""

PREFETCHED_FROM: Final = 0.85
"""Chance that a text is right to its end from which what follows it is asked for."""

SHOWS_PRIOR: Final = 0.9
SHOWS_WEIGHT: Final = 2
"""Of a new source nearly everything is shown; a few texts tell whether that goes on."""
SHOWS_TOO_LITTLE: Final = 0.15
"""Share of texts shown while somebody types below which most of what is asked meanwhile is for nobody."""

WORTH_GENERATING: Final = 0.2
"""Chance of being right down to which a text is generated: what is less sure is neither shown nor prefetched."""
MIN_GENERATED: Final = 24
"""Characters that are generated in any case: of fewer nothing could be learnt that shows a source to be better."""


class Trust:
    """What is known of each source."""

    def __init__(self) -> None:
        self._sources: dict[SourceName, Survival] = {}
        self._unjudged: dict[SourceName, Survival] = {}
        """Of the texts alone of which the source did not say how sure it is: blocks whose stream was ended early, or
        all. They are of another kind than a line that was generated to its end, and are not to pay for its faults."""
        self._calibrations: dict[SourceName, Calibration] = {}
        self._nothing: Entry | None = None
        self.shows = RecentShare(SHOWS_PRIOR, SHOWS_WEIGHT)
        """Of the texts that came lately, those of which something was shown while the person typed."""

    def limit(self, text: str, match: Match, *, pauses: bool, standing: str = "") -> str:
        """What of `text`, which is to be shown of `match`, is shown; "" if nothing of it is.

        `pauses`: the person has stopped. `standing` is on screen already.
        """
        start = max(0, match.appended)
        estimate = self._told(match)[-1]
        if isinstance(estimate, Judged):
            return _limit(text, estimate, start, JUDGED_PAUSING if pauses else JUDGED_TYPING, standing)
        return _limit(text, estimate, start, PAUSING if pauses else TYPING, standing)

    def limit_so_far(self, text: str, source: SourceName, start: int) -> str:
        """The same of a text that is still being generated, for a person who waits for it; `start`: typed since."""
        return _limit(text, self._unjudged_of(source), start, PAUSING)

    def worth_following(self, match: Match, characters: int) -> bool:
        """Whether to ask for what follows `match`, of which so many characters are shown."""
        if match.entry.completeness is Completeness.SHORTENED:
            return False
        start = max(0, match.appended)
        survival = self._told(match)[-1]
        return survival.survives(start, start + characters) >= PREFETCHED_FROM

    def worth_generating(self, source: SourceName, at_most: int) -> int:
        """How many characters of a new text of `source` are worth generating; `at_most` if more."""
        return max(min(MIN_GENERATED, at_most), self._source(source).reach(WORTH_GENERATING, at_most))

    @property
    def asks_in_pauses(self) -> bool:
        """Whether so little is shown while somebody types that asking waits until they stop."""
        return self.shows.value < SHOWS_TOO_LITTLE

    def met(self, trials: Trials, context: Context, match: Match) -> None:
        """`match` could be shown at `context`: follow it from here on."""
        if match.appended < 0 or not match.left.strip():
            return
        if trials.begin(match.entry, self._told(match), context, match.left, match.appended):
            self.shows.add(bool(self.limit(match.left, match, pauses=False)))

    def nothing(self, match: Match) -> None:
        """Nothing of `match` is worth showing; counted once."""
        if match.entry is not self._nothing:
            self._nothing = match.entry
            self.shows.add(False)

    def _told(self, match: Match) -> tuple[Estimate, ...]:
        """The estimates that a match is evidence for; the last is the one to go by."""
        entry = match.entry
        judged = Judged.of(entry, self._calibrations.setdefault(entry.source, Calibration()))
        source = self._source(entry.source)
        return (source, self._unjudged_of(entry.source) if judged is None else judged)

    def _unjudged_of(self, name: SourceName) -> Survival:
        return self._unjudged.setdefault(name, Survival())

    def _source(self, name: SourceName) -> Survival:
        return self._sources.setdefault(name, Survival())


def _limit(text: str, estimate: Estimate, start: int, chances: Chances, standing: str = "") -> str:
    ends = list(part_ends(text))
    if not ends or estimate.survives(start, start + ends[0]) < chances.first:
        return ""
    # The chance only falls from end to end, so that a few of them are looked at.
    good = bisect_left(ends, True, key=lambda end: estimate.survives(start, start + end) < chances.further)
    if good == len(ends):
        return text
    cut = whole_lines(text[: ends[good - 1]]) if good else ""
    return cut if len(cut.strip()) >= MIN_CHARACTERS or (standing and cut.startswith(standing)) else ""
