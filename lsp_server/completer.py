"""From a cursor to a suggestion: gate, cache, generations in flight, pacing, context, source, trim, answer.

The asyncio shell around the policies, each of which is a file of its own. Generations are tasks that outlive the
request they were started for: a request that is cancelled or overtaken leaves its generation to the next key.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from cachetools import LRUCache

from lsp_server.acceptance import Acceptances
from lsp_server.anchor import Anchor, Move, Place
from lsp_server.cache import Cache, Completeness, Match
from lsp_server.context import build_context, with_selected
from lsp_server.counters import Counters
from lsp_server.documents import Change, Snapshot
from lsp_server.gate import Verdict, judge_document, judge_move
from lsp_server.generation import Flights, Generation, run
from lsp_server.multiline import choose_lines
from lsp_server.pacing import Pacing
from lsp_server.settings import Settings
from lsp_server.sources.base import Source, SourceName, SourceRequest
from lsp_server.trim import trim
from lsp_server.trim.repetition import first_round
from wire_protocol.agreement import remaining
from wire_protocol.frames import Context, Kind, Lines

logger = logging.getLogger(__name__)

GIVE_UP_S: Final = 2.0
GIVE_UP_INVOKED_S: Final = 8.0
"""Seconds after which an answer is worthless: by itself, and when a person asked and waits for it."""

OBJECTIVE_MS: Final = 200
"""The latency that the metrics judge."""

MAX_TOKENS: Final[dict[Lines, int]] = {"single": 64, "multi": 192}
"""Twice what a line, or eight lines, of code usually take."""

PATIENCE_S: Final = 0.5
"""After this a person is shown the lines that are whole already; the rest goes into the cache."""

MAX_DOCUMENTS: Final = 512
"""Documents whose anchor and generations are kept: more than anyone types in."""

Answerer = Literal["edge", "local", "cache"]


@dataclass(frozen=True, slots=True)
class Selected:
    """The item selected in the editor's menu: complete as if it were applied."""

    replaced: str
    """What its range covers before the cursor."""
    beyond: int
    """Characters its range covers after the cursor."""
    text: str
    """What it puts in place of its range."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A completion that the editor wants."""

    snapshot: Snapshot
    path: str
    """Relative to the workspace."""
    problem: str | None = None
    """Why the document's text cannot be used."""
    invoked: bool = False
    """Whether a person asked for it explicitly."""
    several_lines: bool | None = None
    """Whether several lines are wanted where one is usual; None: if invoked."""
    changed_at: float | None = None
    """When the document changed last, in clock seconds."""
    selected: Selected | None = None
    channel: str = "inline"
    """Requests overtake one another only within a channel of a document."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """Text to insert at the cursor (after the selected item, if one was given)."""

    id: int
    text: str
    source: Answerer
    latency_ms: float
    """From the request to this answer."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to suggest, and why."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Superseded:
    """A newer request of the same document took this one's place."""


Outcome = Suggested | Nothing | Superseded


@dataclass(eq=False, slots=True)
class _Asker:
    """A request that waits: woken when a generation gets on or it is overtaken."""

    wake: asyncio.Event = field(default_factory=asyncio.Event)
    superseded: bool = False

    def supersede(self) -> None:
        self.superseded = True
        self.wake.set()


@dataclass(eq=False, slots=True)
class _Open:
    """What the completer keeps of a document."""

    key: str
    anchor: Anchor = field(default_factory=Anchor)
    flights: Flights = field(default_factory=Flights)
    askers: dict[str, _Asker] = field(default_factory=dict)
    told: str = ""
    """The last refusal that was logged: each is said once."""

    def wake(self) -> None:
        for asker in self.askers.values():
            asker.wake.set()


class Completer:
    """Answers every `complete` with exactly one outcome within its give-up time.

    `clock` gives monotonic seconds and must be the clock of the running event loop and of the documents. `document_key`
    turns a URI into what may leave the machine. `settings` may be replaced at any time.
    """

    def __init__(
        self,
        source: Source,
        settings: Settings,
        document_key: Callable[[str], str],
        *,
        counters: Counters | None = None,
        cache: Cache | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source = source
        self.settings = settings
        self.counters = counters or Counters()
        self.last_failure = ""
        """Why the last generation failed; "" once one succeeds."""
        self.acceptances = Acceptances(self.counters)
        self._document_key = document_key
        self._clock = clock
        self._cache = Cache(clock) if cache is None else cache
        self._documents: LRUCache[str, _Open] = LRUCache(MAX_DOCUMENTS)
        self._ids = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()

    # What the documents tell.

    def changed(self, uri: str, change: Change) -> None:
        """A `didChange` was applied to a document."""
        self._open(uri).anchor.changed(change)

    def closed(self, uri: str) -> None:
        """A document was closed, or opened anew: what was under way for it ends."""
        document = self._documents.pop(uri, None)
        if document is None:
            return
        self._cancel(document.flights)
        for asker in document.askers.values():
            asker.supersede()
        self.source.forget(document.key)

    async def close(self) -> None:
        """End everything that is under way."""
        for uri in list(self._documents):
            self.closed(uri)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _open(self, uri: str) -> _Open:
        document = self._documents.get(uri)
        if document is None:
            document = self._documents[uri] = _Open(self._document_key(uri))
        return document

    # One request.

    async def complete(self, ask: Ask) -> Outcome:
        """The suggestion for `ask`. Cancelling it leaves its generation to the next request."""
        self.counters.requests += 1
        document = self._open(ask.snapshot.uri)
        asker = _Asker()
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

    async def _answer(self, ask: Ask, document: _Open, asker: _Asker) -> Outcome:
        snapshot = ask.snapshot
        verdict = judge_document(self.settings, snapshot.uri, ask.path, snapshot.language_id, ask.problem)
        if not verdict.shows:
            self._cancel(document.flights)
            return self._refuse(document, verdict)
        place = document.anchor.place(snapshot)
        verdict = judge_move(place.move, invoked=ask.invoked)
        context = self._context(ask, place)
        self.cancel_contradicted(document, context)
        return await _Request(self, ask, document, asker, place, context, may_ask=verdict.asks).answer()

    def _context(self, ask: Ask, place: Place) -> Context:
        context = build_context(ask.snapshot, place, ask.path)
        if ask.selected is None:
            return context
        selected = ask.selected
        applied = with_selected(context, selected.replaced, selected.beyond, selected.text)
        # Out of reach of the context: what the menu will put there is not known to the model, but no harm is done.
        return context if applied is None else applied

    def _refuse(self, document: _Open, verdict: Verdict) -> Nothing:
        self.counters.refused += 1
        if verdict.sentence != document.told:
            document.told = verdict.sentence
            # The document itself is in the way: worth a warning. A setting does what it was set for: that is not.
            level = logging.WARNING if verdict.reason in ("document", "secret") else logging.INFO
            logger.log(level, "%s", verdict.sentence)
        return Nothing(verdict.sentence)

    # Generations.

    def start(self, document: _Open, context: Context, lines: Lines, kind: Kind, give_up_s: float) -> Generation:
        """Ask the source; at most two generations of a document stay in flight."""
        replaced = document.flights.replaced_by_newer()
        request = SourceRequest(
            id=next(self._ids),
            doc=document.key,
            context=context,
            max_tokens=MAX_TOKENS[lines],
            lines=lines,
            kind=kind,
            supersedes=tuple(generation.request.id for generation in replaced),
            objective_ms=OBJECTIVE_MS,
            give_up_ms=max(0, round(give_up_s * 1_000)),
        )
        generation = Generation(request, self._clock())
        self.counters.generations += 1
        generation.task = asyncio.create_task(self._generate(document, generation), name=f"foretype {request.id}")
        self._tasks.add(generation.task)
        generation.task.add_done_callback(self._tasks.discard)
        # The new request names what it supersedes and is sent first: a proxy may let it take the old one's text over.
        for old in replaced:
            self._cancel_one(old)
        document.flights.add(generation)
        return generation

    async def _generate(self, document: _Open, generation: Generation) -> None:
        try:
            await run(generation, self.source, self._clock)
        finally:
            self._record(generation)
            document.wake()

    def _record(self, generation: Generation) -> None:
        self.counters.tokens_generated += generation.tokens
        if generation.completeness is not None:
            self.last_failure = ""
            # Where a circle ends must not depend on how much of it was typed already, so it is left here, once.
            produced = first_round(generation.produced)
            whole = len(produced) < len(generation.produced)
            self._cache.store(
                generation.context,
                produced,
                generation.lines,
                Completeness.WHOLE if whole else generation.completeness,
                generation.source,
            )
        elif not generation.cancelled:
            self.counters.generations_failed += 1
            if generation.failure != self.last_failure:
                self.last_failure = generation.failure
                logger.info("No suggestion: %s", generation.failure)

    def cancel_contradicted(self, document: _Open, context: Context) -> None:
        """End the generations that what was typed has proved wrong."""
        for generation in document.flights.contradicted(context):
            self._cancel_one(generation)

    def _cancel(self, flights: Flights) -> None:
        for generation in list(flights):
            self._cancel_one(generation)

    def _cancel_one(self, generation: Generation) -> None:
        if generation.ended or generation.task is None:
            return
        generation.ended = generation.cancelled = True
        self.counters.generations_cancelled += 1
        generation.task.cancel()

    # Answers.

    def cached(self, context: Context, lines: Lines, invoked: bool, since: float) -> tuple[str, Match] | Match | None:
        """A suggestion from the cache with its match; a match alone if the model is known to have nothing here.

        What was stored after `since` was generated for this very request.
        """
        for match in self._cache.matches(context):
            entry = match.entry
            if lines == "multi" and entry.lines == "single" and (invoked or not match.appended):
                continue
            whole = entry.completeness is Completeness.WHOLE
            fresh = entry.stored_at > since
            if not whole and not fresh and "\n" not in match.left.strip():
                continue
            text = trim(context, match.left, whole, entry.lines)
            if text is not None:
                return text, match
            if not match.appended and (whole or fresh):
                return match
        return None

    def suggested(self, text: str, source: Answerer, began: float) -> Suggested:
        """Give a suggestion its id, and count it."""
        latency_ms = (self._clock() - began) * 1_000
        id = next(self._ids)
        self.acceptances.given(id, text)
        self.counters.saw(source, latency_ms)
        return Suggested(id, text, source, latency_ms)

    def now(self) -> float:
        """Clock seconds."""
        return self._clock()


class _Request:
    """One request on its way: waits for whichever comes first of a cached text, a generation, a newer request, time."""

    def __init__(
        self,
        completer: Completer,
        ask: Ask,
        document: _Open,
        asker: _Asker,
        place: Place,
        context: Context,
        *,
        may_ask: bool,
    ) -> None:
        self._completer = completer
        self._ask = ask
        self._document = document
        self._asker = asker
        self._context = context
        self._may_ask = may_ask
        self._lines: Lines = choose_lines(
            context, invoked=ask.invoked if ask.several_lines is None else ask.several_lines
        )
        self._began = completer.now()
        self._give_up = self._began + (GIVE_UP_INVOKED_S if ask.invoked else GIVE_UP_S)
        pacing = Pacing(completer.settings.debounce_ms)
        typed = place.move in (Move.TYPED, Move.UNDONE, Move.EDITED_ELSEWHERE)
        self._ask_at = self._began + pacing.wait_s(
            now=self._began,
            changed_at=ask.changed_at if typed else None,
            invoked=ask.invoked,
            new_line=place.new_line,
        )
        self._own: Generation | None = None
        self._has_joined = False

    async def answer(self) -> Outcome:
        """The one outcome."""
        while True:
            if self._asker.superseded:
                return Superseded()
            self._asker.wake.clear()
            outcome = self._ready()
            if outcome is not None:
                return outcome
            wait_s = self._next_step()
            if isinstance(wait_s, Nothing):
                return wait_s
            if wait_s > 0:
                await self._wait(wait_s)

    def _ready(self) -> Outcome | None:
        found = self._completer.cached(self._context, self._lines, self._ask.invoked, self._began)
        if isinstance(found, tuple) and not isinstance(found, Match):
            text, match = found
            return self._completer.suggested(text, self._answerer(match), self._began)
        if isinstance(found, Match) and not self._ask.invoked:
            return Nothing("The model has nothing to suggest here.")
        return self._whole_lines_so_far()

    def _answerer(self, match: Match) -> Answerer:
        if match.entry.stored_at > self._began and (self._own is not None or self._has_joined):
            return match.entry.source
        self._completer.counters.cache_hits += 1
        return "cache"

    def _whole_lines_so_far(self) -> Outcome | None:
        if self._completer.now() < self._began + PATIENCE_S:
            return None
        for generation in self._agreeing():
            left = remaining(generation.produced, generation.appended(self._context) or "") or ""
            if generation.lines == "single" or "\n" not in left.strip():
                continue
            text = trim(self._context, left[: left.rfind("\n") + 1], False, generation.lines)
            if text is not None:
                source: SourceName = generation.source
                return self._completer.suggested(text, source, self._began)
        return None

    def _agreeing(self) -> list[Generation]:
        return self._document.flights.agreeing(self._context, self._lines)

    def _next_step(self) -> float | Nothing:
        """Seconds to wait for; 0 after something was started; or why nothing will come."""
        now = self._completer.now()
        if now >= self._give_up:
            self._completer.counters.gave_up += 1
            return Nothing("No answer came in time.")
        self._completer.cancel_contradicted(self._document, self._context)
        agreeing = self._agreeing()
        if self._own is not None and self._own.ended and not agreeing:
            return Nothing(self._own.failure or "Nothing worth showing was generated.")
        if agreeing and not self._has_joined and self._own not in agreeing:
            self._has_joined = True
            self._completer.counters.joined += 1
        wants_own = self._own is None and self._document.flights.wants_newer(self._context, agreeing)
        if wants_own and self._may_ask and now >= self._ask_at:
            kind: Kind = "invoked" if self._ask.invoked else "automatic"
            self._own = self._completer.start(self._document, self._context, self._lines, kind, self._give_up - now)
            return 0.0
        if not agreeing and not self._may_ask:
            return Nothing("Nothing was typed.")
        steps = [self._give_up]
        if wants_own and self._may_ask:
            steps.append(self._ask_at)
        if agreeing and now < self._began + PATIENCE_S:
            steps.append(self._began + PATIENCE_S)
        return max(min(steps) - now, 0.0) or 0.001

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._asker.wake.wait()
        except TimeoutError:
            pass
