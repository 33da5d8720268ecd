"""One request on its way: it takes what comes first of a kept text, a generation, a newer request, the end of time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from lsp_server.anchor import Move, Place
from lsp_server.answers import Answers, Found
from lsp_server.ask import INLINE, Answerer, Ask, Nothing, Outcome, Suggested, Superseded
from lsp_server.cache import Entry
from lsp_server.generation import Generation
from lsp_server.multiline import choose_lines
from lsp_server.open_document import Asker, OpenDocument
from lsp_server.pacing import Pacing
from lsp_server.producer import Producer
from lsp_server.statistics.counters import Counters
from lsp_server.techniques import Techniques
from lsp_server.trust import Trust
from lsp_server.trust.trust import PAUSE_S
from wire_protocol.agreement import remaining
from wire_protocol.frames import Context, Kind, Lines

GIVE_UP_S: Final = 2.0
GIVE_UP_INVOKED_S: Final = 8.0
"""Seconds after which an answer is worthless: by itself, and when a person asked and waits for it."""

PATIENCE_S: Final = 0.5
"""After this a person is shown the lines that are whole already; the rest goes into the cache."""

SHORTEST_WAIT_S: Final = 0.001
"""So that a time that has just come, by another clock's rounding, does not make the loop spin."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a request works with: the completer's own."""

    producer: Producer
    answers: Answers
    trust: Trust
    pacing: Pacing
    counters: Counters
    techniques: Techniques
    clock: Callable[[], float]


class Request:
    """`may_ask` False: only what is kept or under way answers it."""

    def __init__(
        self,
        parts: Parts,
        ask: Ask,
        document: OpenDocument,
        asker: Asker,
        place: Place,
        context: Context,
        *,
        may_ask: bool,
    ) -> None:
        self._producer = parts.producer
        self._answers = parts.answers
        self._trust = parts.trust
        self._counters = parts.counters
        self._techniques = parts.techniques
        self._clock = parts.clock
        self._ask = ask
        self._document = document
        self._asker = asker
        self._context = context
        self.may_ask = may_ask
        self._began = parts.clock()
        self._give_up = self._began + (GIVE_UP_INVOKED_S if ask.invoked else GIVE_UP_S)
        typed = place.move in (Move.TYPED, Move.UNDONE, Move.EDITED_ELSEWHERE)
        self._stops_at = (self._began if not typed or ask.changed_at is None else ask.changed_at) + PAUSE_S
        """When the person counts as one who has stopped."""
        self._ask_at = self._began + parts.pacing.wait_s(
            now=self._began,
            changed_at=ask.changed_at if typed else None,
            invoked=ask.invoked,
            new_line=place.new_line,
            boundary=document.keys.boundary,
            first_token_s=parts.producer.first_token_s(),
            unasked_s=0.0 if document.asked_at is None else self._began - document.asked_at,
        )
        if self._techniques.survival and parts.trust.asks_in_pauses and not (ask.invoked or place.new_line):
            self._ask_at = max(self._ask_at, self._stops_at)
        self.stale: Entry | None = None
        """What was answered with, if what helped the model then has changed since."""
        self.worth_following = True
        """Whether to ask for what follows the text that was given."""
        self._holds = False
        """Whether there is a text that is only given then."""
        self._own: Generation | None = None
        self._has_joined = False

    @cached_property
    def lines(self) -> Lines:
        """How many are wanted; parses where the syntax decides, so not before it is needed."""
        several = self._ask.invoked if self._ask.several_lines is None else self._ask.several_lines
        return choose_lines(self._context, invoked=several, by_syntax=self._techniques.blocks)

    async def answer(self) -> Outcome:
        """The one outcome."""
        while True:
            if self._asker.superseded:
                return Superseded()
            self._asker.wake.clear()
            outcome = self._ready()
            if outcome is not None:
                return outcome
            wait_s = max(self._stops_at - self._clock(), SHORTEST_WAIT_S) if self._holds else self._next_step()
            if isinstance(wait_s, Nothing):
                return self._instead_of(wait_s)
            if wait_s > 0:
                await self._wait(wait_s)

    def _ready(self) -> Outcome | None:
        self._holds = False
        found = self._answers.find(
            self._context,
            lambda: self.lines,
            invoked=self._ask.invoked,
            since=self._began,
            deleted=self._document.keys.backspaced,
        )
        if found is not None and found.text is not None:
            self.stale = found.match.entry if found.match.stale else None
            outcome = self._give(found, found.text)
            self._holds = outcome is None
            return outcome
        if found is not None and self._is_on_screen:
            self._trust.nothing(found.match)
        if found is not None and not self._ask.invoked and not (found.match.appended and self._agreeing()):
            return self._instead_of(Nothing("The model has nothing to suggest here."))
        return self._whole_lines_so_far()

    def _give(self, found: Found, text: str) -> Outcome | None:
        """Answer with as much of `text`, which is what is to be shown of `found`, as is worth it; None: not yet."""
        limited = text
        # In a menu it stands among others and is in nobody's way.
        if self._techniques.survival and self._is_on_screen and not self._ask.invoked:
            if self._ask.selected is None:
                self._trust.met(self._document.trials, self._context, found.match)
            standing = self._answers.standing(self._document, self._context)
            pauses = self._clock() >= self._stops_at
            limited = self._trust.limit(text, found.match, pauses=pauses, standing=standing)
            if not limited and not standing and not pauses and self._techniques.pause_showing:
                return None
        if not limited:
            outcome = self._instead_of(Nothing("What the model says has mostly been wrong lately."))
            self._counters.suggestions_hidden += isinstance(outcome, Nothing)
            return outcome
        shortened = limited != text
        self._counters.suggestions_shortened += shortened
        if self._techniques.survival:
            self.worth_following = not shortened and self._trust.worth_following(found.match, len(text))
        return self._show(limited, self._answerer(found), found.match.entry.lines)

    def _show(self, text: str, source: Answerer, lines: Lines) -> Suggested:
        """Answer with `text`, generated as `lines`, or with what stands on screen if `text` does not extend it."""
        if not self._is_on_screen:
            return self._answers.suggested(text, source, self._began)
        standing = "" if self._ask.invoked else self._answers.standing(self._document, self._context)
        if not text.startswith(standing):
            if not standing.startswith(text):
                self._answers.withheld(self._document, self._context, text)
            text, source = standing, "cache"
        elif self._ask.invoked:
            self._document.shown.clear()
        self._document.shown.give(self._context, text, lines)
        return self._answers.suggested(text, source, self._began)

    def _instead_of(self, nothing: Nothing) -> Outcome:
        """What stands on screen, as an answer without text would take it away."""
        standing = "" if self._ask.invoked else self._answers.standing(self._document, self._context)
        if not standing or not self._is_on_screen:
            return nothing
        return self._answers.suggested(standing, "cache", self._began)

    @property
    def _is_on_screen(self) -> bool:
        return self._ask.channel == INLINE

    def _answerer(self, found: Found) -> Answerer:
        self._answers.use_prefetch(self._document, self._context, found.match)
        if found.match.entry.stored_at > self._began and (self._own is not None or self._has_joined):
            return found.match.entry.source
        self._counters.cache_hits += 1
        return "cache"

    def _whole_lines_so_far(self) -> Outcome | None:
        if self._clock() < self._began + PATIENCE_S:
            return None
        for generation in self._agreeing():
            left = remaining(generation.produced, generation.appended(self._context) or "") or ""
            if generation.lines == "single" or "\n" not in left.strip():
                continue
            text = self._answers.trimmed(self._context, left[: left.rfind("\n") + 1], False, generation.lines)
            if text is not None and self._techniques.survival and not self._ask.invoked:
                text = self._trust.limit_so_far(text, generation.source, len(generation.produced) - len(left))
            if text:
                return self._show(text, generation.source, generation.lines)
        return None

    def _agreeing(self) -> list[Generation]:
        agreeing = self._document.flights.agreeing(self._context, self.lines)
        if self._techniques.joining:
            return agreeing
        return [generation for generation in agreeing if not generation.appended(self._context)]

    def _next_step(self) -> float | Nothing:
        """Seconds to wait for; 0 after something was started; or why nothing will come."""
        now = self._clock()
        if now >= self._give_up:
            self._counters.gave_up += 1
            return Nothing("No answer came in time.")
        self._producer.cancel_contradicted(self._document, self._context)
        agreeing = self._agreeing()
        if self._own is not None and self._own.ended and not agreeing:
            return Nothing(self._own.failure or "Nothing worth showing was generated.")
        self._join(agreeing)
        overdue_s = self._producer.overdue_s()
        wants_own = self._own is None and self._document.flights.wants_newer(self._context, agreeing, now - overdue_s)
        if wants_own and self.may_ask and now >= self._ask_at:
            kind: Kind = "invoked" if self._ask.invoked else "automatic"
            self._own = self._producer.start(self._document, self._context, self.lines, kind, self._give_up - now)
            return 0.0
        if not agreeing and not self.may_ask:
            return Nothing("Nothing was typed.")
        return self._until_next(now, agreeing, overdue_s, wants_own=wants_own)

    def _join(self, agreeing: list[Generation]) -> None:
        """Wait for what is under way already."""
        for generation in agreeing:
            generation.wanted = True
        if agreeing and not self._has_joined and self._own not in agreeing:
            self._has_joined = True
            self._counters.joined += 1

    def _until_next(self, now: float, agreeing: list[Generation], overdue_s: float, *, wants_own: bool) -> float:
        steps = [self._give_up]
        if self.may_ask and wants_own:
            steps.append(self._ask_at)
        elif self.may_ask and self._own is None:
            waited_for = (each for each in agreeing if each.request.kind == "prefetch" and not each.produced)
            steps += [each.started + overdue_s for each in waited_for if each.started + overdue_s > now]
        if agreeing and now < self._began + PATIENCE_S:
            steps.append(self._began + PATIENCE_S)
        return max(min(steps) - now, 0.0) or SHORTEST_WAIT_S

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._asker.wake.wait()
        except TimeoutError:
            pass
