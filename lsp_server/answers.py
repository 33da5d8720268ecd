"""Which text is given for a cursor: from the cache, trimmed, never one that takes the place of what stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from lsp_server.ask import Answerer, Suggested
from lsp_server.cache import Cache, Completeness, Match
from lsp_server.cache.surroundings import NEAR_AFTER
from lsp_server.open_document import OpenDocument
from lsp_server.prefetch import Budget, place
from lsp_server.privacy import code_log
from lsp_server.statistics.counters import Counters
from lsp_server.techniques import Techniques
from lsp_server.trim import filters_of, trim
from lsp_server.trust.parts import whole_parts
from wire_protocol.frames import Context, Lines

MIN_UNWORTHY: Final = 4
"""Visible characters left of a text that agrees with what was typed but is not worth showing, from which on nobody is
asked anew: a model that was right so far says the same again. With less left the text is as good as used up."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the cache knows of a cursor; `text` None: the model has nothing to suggest there."""

    text: str | None
    match: Match


class Answers:
    """Suggestions for all documents."""

    def __init__(
        self,
        cache: Cache,
        counters: Counters,
        techniques: Techniques,
        budget: Budget,
        ids: Iterator[int],
        clock: Callable[[], float],
    ) -> None:
        self._cache = cache
        self._counters = counters
        self._techniques = techniques
        self._filters = filters_of(techniques)
        self._budget = budget
        self._ids = ids
        self._clock = clock

    def find(
        self,
        context: Context,
        lines: Callable[[], Lines],
        *,
        invoked: bool,
        since: float,
        deleted: bool = False,
    ) -> Found | None:
        """What the cache knows. What was stored after `since` was generated for this very request.

        `lines` is asked only where it matters: it may parse, and typing through a suggestion must not wait for that.
        `deleted`: the person has just deleted something, so what was there may be offered again.
        """
        deleted = deleted and self._techniques.backspacing
        matches = self._cache.matches(context, deleted=True) if deleted else self._cache.matches(context)
        agreed: Match | None = None
        for match in matches:
            entry = match.entry
            if not self._may_match(match, context):
                continue
            fresh = entry.stored_at > since
            if match.stale and invoked:
                continue  # whoever asks wants what the model says now
            if match.appended and not fresh and not self._techniques.typing_through:
                continue
            if entry.lines == "single" and (invoked or not match.appended) and lines() == "multi":
                continue
            whole = entry.completeness is Completeness.WHOLE
            left = match.left
            if not whole and not fresh and "\n" not in left.strip():
                left = whole_parts(left) if entry.completeness is Completeness.SHORTENED else ""
                if not left:
                    continue
            hidden = entry.doubtful and not invoked and self._techniques.confidence
            text = None if hidden else self.trimmed(context, left, whole, entry.lines, fresh=not match.appended)
            if text is not None:
                return Found(text, match)
            if match.stale:
                continue
            if not match.appended and (whole or fresh):
                return Found(None, match)
            if match.appended > 0 and whole and agreed is None and len(match.left.strip()) >= MIN_UNWORTHY:
                agreed = match
        return None if agreed is None else Found(None, agreed)

    def _may_match(self, match: Match, context: Context) -> bool:
        """Whether the techniques that are on know `match` again."""
        techniques = self._techniques
        return (
            (techniques.reindenting or not match.reindented)
            and (techniques.revalidating or not match.stale)
            and (techniques.overtyping or (context.tail + context.after)[:NEAR_AFTER] == match.entry.surroundings.rest)
        )

    def trimmed(self, context: Context, text: str, complete: bool, lines: Lines, *, fresh: bool = False) -> str | None:
        """What to insert of `text` (see `trim`)."""
        return trim(context, text, complete, lines, fresh=fresh, filters=self._filters)

    def standing(self, document: OpenDocument, context: Context) -> str:
        """What must stay on screen at `context`; "" if nothing must."""
        if not self._techniques.no_flicker:
            return ""
        text = document.shown.standing(context)
        if text and document.shown.tail_moved(context):
            # A closing bracket was typed over, or put there: what stands may say it twice now.
            return self.trimmed(context, text, True, document.shown.lines) or ""
        return text

    def use_prefetch(self, document: OpenDocument, context: Context, match: Match) -> None:
        """Count a prefetch as used if `match` is one."""
        if not document.prefetched or match.appended < 0:
            return
        at = place(context, match.appended)
        for prefetched in document.prefetched:
            if (prefetched.place, prefetched.text) == (at, match.entry.text):
                document.prefetched.remove(prefetched)
                self._counters.prefetches_used += 1
                self._counters.tokens_prefetch_used += prefetched.tokens
                self._budget.used(prefetched.tokens)
                return

    def withheld(self, document: OpenDocument, context: Context, text: str) -> None:
        """Count a text that is not shown because another stands."""
        self._counters.suggestions_withheld += document.shown.withhold(context, text)

    def suggested(self, text: str, source: Answerer, began: float) -> Suggested:
        """Give a suggestion its id, and count it."""
        latency_ms = (self._clock() - began) * 1_000
        self._counters.gave(source, latency_ms)
        code_log.given(text)
        return Suggested(next(self._ids), text, source, latency_ms)
