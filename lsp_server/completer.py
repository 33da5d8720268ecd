"""From a cursor to a suggestion: gate, cache, generations in flight, pacing, context, source, trim, answer, prefetch.

The asyncio shell around the policies, each of which is a file of its own. Generations are tasks that outlive the
request they were started for: a request that is cancelled or overtaken leaves its generation to the next key.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable
from typing import Final

from cachetools import LRUCache

from lsp_server.anchor import Move, Place
from lsp_server.answers import Answers
from lsp_server.ask import INLINE, Ask, Nothing, Outcome, Selected, Suggested, Superseded
from lsp_server.cache import Cache, Entry
from lsp_server.context import build_context, with_selected
from lsp_server.documents import Change
from lsp_server.gate import Verdict, judge_document, judge_editing, judge_move
from lsp_server.generation import CHARACTERS_PER_TOKEN
from lsp_server.keys import Key, cursor_after
from lsp_server.multiline import choose_lines
from lsp_server.open_document import Asker, OpenDocument
from lsp_server.pacing import Pacing
from lsp_server.pacing_gaps import SHORTEST_S
from lsp_server.prefetch import MIN_TAKEN, accepted, place, typed_on
from lsp_server.producer import MAX_TOKENS, Producer
from lsp_server.request import GIVE_UP_S, Parts, Request
from lsp_server.settings import Settings
from lsp_server.shown import Fate
from lsp_server.sources.base import ReadsAhead, Source
from lsp_server.statistics.counters import Counters
from lsp_server.statistics.session import Statistics
from lsp_server.statistics.survival import Read
from lsp_server.techniques import Techniques
from lsp_server.trust import Trust
from lsp_server.workspace.parts import NOTHING, Surroundings
from wire_protocol.frames import Context, Lines

__all__ = ["MAX_TOKENS", "Ask", "Completer", "Nothing", "Outcome", "Selected", "Suggested", "Superseded"]

logger = logging.getLogger(__name__)

MAX_DOCUMENTS: Final = 512
"""Documents whose anchor and generations are kept: more than anyone types in."""

Look = Callable[[int], Ask]
"""What the editor would ask with the cursor at an offset (code points) of a document."""

Surround = Callable[[Ask, Place], Surroundings]
"""What of the workspace goes beside the context of a cursor; takes milliseconds at most."""


class Completer:
    """Answers every `complete` with exactly one outcome within its give-up time.

    `clock` gives monotonic seconds and must be the clock of the running event loop and of the documents. `document_key`
    turns a URI into what may leave the machine, `read` gives the text of an open document. `settings` and `source` may
    be replaced at any time.
    """

    def __init__(
        self,
        source: Source,
        settings: Settings,
        document_key: Callable[[str], str],
        *,
        read: Read = lambda uri: None,
        cache: Cache | None = None,
        techniques: Techniques | None = None,
        surroundings: Surround = lambda ask, place: NOTHING,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counters = Counters()
        self.statistics = Statistics(self.counters, clock, read)
        self.techniques = techniques or Techniques()
        self.pacing = Pacing(settings.debounce_ms, adaptive=self.techniques.adaptive_pacing)
        self._settings = settings
        self._document_key = document_key
        self._surroundings = surroundings
        self._clock = clock
        self._documents: LRUCache[str, OpenDocument] = LRUCache(MAX_DOCUMENTS)
        cache = Cache(clock) if cache is None else cache
        ids = itertools.count(1)
        self.trust = Trust()
        trust = self.trust if self.techniques.survival and self.techniques.shortening else None
        self._producer = Producer(source, cache, self.counters, self.pacing, trust, self.techniques, ids, clock)
        self._answers = Answers(cache, self.counters, self.techniques, self._producer.budget, ids, clock)
        self._parts = Parts(
            self._producer, self._answers, self.trust, self.pacing, self.counters, self.techniques, clock
        )

    @property
    def source(self) -> Source:
        """What generates."""
        return self._producer.source

    @source.setter
    def source(self, source: Source) -> None:
        self._producer.source = source

    @property
    def settings(self) -> Settings:
        """The settings that hold."""
        return self._settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._settings = settings
        self.pacing.set_quiet(settings.debounce_ms, adaptive=self.techniques.adaptive_pacing)

    @property
    def last_failure(self) -> str:
        """Why the last generation failed; "" once one succeeds."""
        return self._producer.last_failure

    # What the documents tell.

    def changed(self, uri: str, change: Change, look: Look | None = None) -> None:
        """A `didChange` was applied to a document. With `look`, a model may be asked before the editor asks."""
        document = self._open(uri)
        document.anchor.changed(change)
        document.unasked += 1
        self.statistics.changed(uri, change)
        keys = document.keys
        pressed_at, boundary = keys.at, keys.boundary
        key = keys.changed(change)
        if key is not Key.OTHER and boundary is not None and pressed_at is not None:
            gap_s = change.at - pressed_at
            if gap_s >= SHORTEST_S:
                self.pacing.gaps.add(boundary, gap_s)
        self._cancel_contradicted_by(document, change)
        if look is not None and key is Key.TYPED and self._pauses_here(document):
            cursor = cursor_after(change)
            if cursor is not None:
                self._ask_ahead(document, look(cursor))

    def _cancel_contradicted_by(self, document: OpenDocument, change: Change) -> None:
        """End what a key proves wrong before the editor asks: some wait 200 ms and more until then."""
        context = document.context
        if context is None or not change.single or not any(document.flights) or not self.techniques.early_cancelling:
            return
        edit = change.edits[0]
        cursor = cursor_after(change)
        if cursor is not None and edit.offset == document.cursor and not edit.removed:
            self._producer.cancel_contradicted(document, typed_on(context, edit.inserted, cursor - edit.offset))

    def opened(self, ask: Ask) -> None:
        """A document was opened: a source that reads ahead may read its text, as far as a context reaches."""
        source = self.source
        if isinstance(source, ReadsAhead) and self._judge(ask).shows:
            offset = ask.snapshot.offset
            context = self._context(ask, Place(offset, offset, offset, Move.OPENED))
            source.warm(self._document_key(ask.snapshot.uri), context)

    def closed(self, uri: str) -> None:
        """A document was closed, or opened anew: what was under way for it ends."""
        self.statistics.closed(uri)
        document = self._documents.pop(uri, None)
        if document is None:
            return
        document.forget_later()
        self._producer.cancel_all(document.flights)
        for asker in document.askers.values():
            asker.supersede()
        self.source.forget(document.key)

    async def close(self) -> None:
        """End everything that is under way."""
        for uri in list(self._documents):
            self.closed(uri)
        await self._producer.close()

    def _open(self, uri: str) -> OpenDocument:
        document = self._documents.get(uri)
        if document is None:
            document = self._documents[uri] = OpenDocument(self._document_key(uri))
        return document

    # One request.

    async def complete(self, ask: Ask) -> Outcome:
        """The suggestion for `ask`. Cancelling it leaves its generation to the next request."""
        self.counters.requests += 1
        self.statistics.asked(ask.snapshot, ask.channel)
        document = self._open(ask.snapshot.uri)
        if not ask.invoked:
            document.unasked = 0
        asker = Asker()
        if (earlier := document.askers.get(ask.channel)) is not None:
            earlier.supersede()
        document.askers[ask.channel] = asker
        try:
            outcome = await self._answer(ask, document, asker)
        except asyncio.CancelledError:
            self.counters.cancelled += 1
            raise
        finally:
            if document.askers.get(ask.channel) is asker:
                del document.askers[ask.channel]
        if isinstance(outcome, Superseded):
            self.counters.superseded += 1
        return outcome

    async def _answer(self, ask: Ask, document: OpenDocument, asker: Asker) -> Outcome:
        verdict = self._judge(ask)
        if not verdict.shows:
            self._producer.cancel_all(document.flights)
            document.shown.clear()
            return self._refuse(document, verdict)
        place = document.anchor.place(ask.snapshot)
        may_ask = self._judge_move(ask, document, place).asks
        context = self._look_at(ask, document, place)
        if ask.channel == INLINE and ask.selected is None:  # what the menu has selected nobody typed
            self._learn(document, context)
        request = Request(self._parts, ask, document, asker, place, context, may_ask=may_ask)
        outcome = await request.answer()
        if isinstance(outcome, Suggested):
            self.statistics.given(outcome.id, ask.snapshot, context, ask.channel, outcome.text, outcome.source)
        if isinstance(outcome, Suggested) and ask.channel == INLINE:
            document.once_answered(self._ask_beyond, document, context, request, outcome.text)
        return outcome

    def _judge(self, ask: Ask) -> Verdict:
        snapshot = ask.snapshot
        language = snapshot.language_id
        settings = ask.settings or self.settings
        verdict = judge_document(settings, snapshot.uri, ask.path, language, ask.problem, ask.withheld)
        return judge_editing(ask.editing, invoked=ask.invoked) if verdict.shows else verdict

    def _judge_move(self, ask: Ask, document: OpenDocument, place: Place) -> Verdict:
        keys = document.keys
        asks_anyway = ask.invoked or not self.techniques.quiet_edits
        return judge_move(place.move, invoked=asks_anyway, deletes=keys.deletes, composing=keys.composing)

    def _look_at(self, ask: Ask, document: OpenDocument, place: Place) -> Context:
        """The context of the cursor; what is under way and cannot serve it ends."""
        context = document.context = self._context(ask, place)
        document.cursor = None if ask.selected is not None else ask.snapshot.offset
        self._producer.cancel_contradicted(document, context)
        if not self.techniques.joining:
            for generation in document.flights:
                if generation.appended(context):
                    self._producer.cancel(generation)
        return context

    def _context(self, ask: Ask, place: Place) -> Context:
        context = build_context(ask.snapshot, place, ask.path, self._surroundings(ask, place))
        if ask.selected is None:
            return context
        selected = ask.selected
        applied = with_selected(context, selected.replaced, selected.beyond, selected.text)
        # Out of reach of the context: what the menu will put there is not known to the model, but no harm is done.
        return context if applied is None else applied

    def _refuse(self, document: OpenDocument, verdict: Verdict) -> Nothing:
        self.counters.refused += 1
        if verdict.sentence != document.told:
            document.told = verdict.sentence
            # The document itself is in the way: worth a warning. A setting does what it was set for: that is not.
            level = logging.WARNING if verdict.warns else logging.INFO
            logger.log(level, "%s", verdict.sentence)
        return Nothing(verdict.sentence)

    def _learn(self, document: OpenDocument, context: Context) -> None:
        """What became of the text that was shown, and of those that could have been."""
        document.trials.follow(context)
        characters = document.shown.characters
        match document.shown.follow(context):
            case Fate.TAKEN:
                self.pacing.taken.add(True)
                self._producer.budget.took(characters / CHARACTERS_PER_TOKEN)
            case Fate.REFUSED:
                self.pacing.taken.add(False)

    # Requests that nobody waits for yet.

    def _pauses_here(self, document: OpenDocument) -> bool:
        return (
            self.techniques.pause_points
            and document.asks_by_itself
            and self.pacing.is_pause_point(document.keys.boundary, self._producer.first_token_s())
        )

    def _ask_ahead(self, document: OpenDocument, ask: Ask) -> None:
        """Ask at a predicted pause point: the editor will, once its own delay is over, and joins."""
        if not self._judge(ask).shows:
            return
        place = document.anchor.place(ask.snapshot)
        if not self._judge_move(ask, document, place).asks:
            return
        # Those that still wait do so for a text that is no more, and would take this one's generation for a wrong one.
        for asker in document.askers.values():
            asker.supersede()
        context = self._look_at(ask, document, place)
        lines = choose_lines(context, invoked=False, by_syntax=self.techniques.blocks)
        now = self._clock()
        agreeing = document.flights.agreeing(context, lines)
        if not document.flights.wants_newer(context, agreeing, now - self._producer.overdue_s()):
            return
        if self._answers.find(context, lambda: lines, invoked=False, since=now) is None:
            self._producer.start(document, context, lines, "automatic", GIVE_UP_S)
            self.counters.generations_ahead += 1

    def _ask_beyond(self, document: OpenDocument, context: Context, request: Request, text: str) -> None:
        """After `text` was answered: what else is worth asking while it is shown."""
        if document.context is not context:
            return  # the person is further on; that request's answer asks
        if request.stale is not None and request.may_ask:
            self._revalidate(document, context, request.lines, request.stale)
        if request.worth_following:
            self._prefetch(document, context, text)

    def _revalidate(self, document: OpenDocument, context: Context, lines: Lines, stale: Entry) -> None:
        """Ask anew, once, for what was answered with a kept text whose wider surroundings have changed."""
        generated = (stale.text, stale.stored_at)
        if generated == document.revalidated or not self._producer.budget.allows:
            return
        if document.flights.has_place_for_prefetch() and not document.flights.agreeing(context, lines):
            document.revalidated = generated
            self._producer.start(document, context, lines, "prefetch", GIVE_UP_S)

    def _prefetch(self, document: OpenDocument, context: Context, text: str) -> None:
        """Ask for what follows `text`, which is shown at `context`; once, and only where nothing else is under way."""
        target = accepted(context, text)
        at = place(target)
        if not self.techniques.prefetch or at == document.followed or not self._producer.budget.allows:
            return
        if self.pacing.taken.value < MIN_TAKEN:
            return
        if any(generation.appended(context) is not None for generation in document.flights):
            return  # more of the same suggestion is to come
        if not document.flights.has_place_for_prefetch():
            return
        document.followed = at
        lines = choose_lines(target, invoked=False, by_syntax=self.techniques.blocks)
        if self._answers.find(target, lambda: lines, invoked=False, since=self._clock()) is None:
            self._producer.start(document, target, lines, "prefetch", GIVE_UP_S)

    def now(self) -> float:
        """Clock seconds."""
        return self._clock()
