"""Starts generations, follows them to their end, cancels them: what came goes into the cache, whoever wanted it."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Iterator
from typing import Final

from lsp_server.cache import Cache, Completeness
from lsp_server.generation import CHARACTERS_PER_TOKEN, Flights, Generation, run
from lsp_server.open_document import OpenDocument, Prefetched
from lsp_server.pacing import Pacing
from lsp_server.prefetch import Budget, place
from lsp_server.sources.base import Source, SourceName, SourceRequest
from lsp_server.sources.latency import LatencyWindow
from lsp_server.statistics.counters import Counters
from lsp_server.techniques import Techniques
from lsp_server.trim.confidence import is_confident
from lsp_server.trim.repetition import first_round
from lsp_server.trust import Trust
from wire_protocol.agreement import continuation
from wire_protocol.frames import Context, Kind, Lines

logger = logging.getLogger(__name__)

OBJECTIVE_MS: Final = 200
"""The latency that the metrics judge."""

MAX_TOKENS: Final[dict[Lines, int]] = {"single": 64, "multi": 192}
"""Twice what a line, or eight lines, of code usually take."""

OVERDUE_FACTOR: Final = 2.0
"""A prefetch without a word for so many usual times to first token waits behind others' requests."""
OVERDUE_DEFAULT_S: Final = 0.3
"""While the usual time is not known."""


class Producer:
    """The generations of all documents. `source` may be replaced at any time; `clock` gives the loop's seconds."""

    def __init__(
        self,
        source: Source,
        cache: Cache,
        counters: Counters,
        pacing: Pacing,
        trust: Trust | None,
        techniques: Techniques,
        ids: Iterator[int],
        clock: Callable[[], float],
    ) -> None:
        self.source = source
        self.last_failure = ""
        """Why the last generation failed; "" once one succeeds."""
        self.budget = Budget()
        self._cache = cache
        self._counters = counters
        self._pacing = pacing
        self._trust = trust
        self._techniques = techniques
        self._ids = ids
        self._clock = clock
        self._first_token: dict[SourceName, LatencyWindow] = {"edge": LatencyWindow(), "local": LatencyWindow()}
        self._answers: SourceName | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """End everything that is under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def first_token_s(self) -> float | None:
        """The recent median time to first token of the source that answered last, in seconds; None if not known."""
        return None if self._answers is None else self._first_token[self._answers].quantile(0.5)

    def overdue_s(self) -> float:
        """Seconds after which a prefetch without a word is asked for anew by who waits for it."""
        usual = self.first_token_s()
        return OVERDUE_DEFAULT_S if usual is None else OVERDUE_FACTOR * usual

    def start(self, document: OpenDocument, context: Context, lines: Lines, kind: Kind, give_up_s: float) -> Generation:
        """Ask the source; at most two generations of a document stay in flight, one of them a prefetch at most."""
        replaced = document.flights.replaced_by(context, kind)
        request = SourceRequest(
            id=next(self._ids),
            doc=document.key,
            context=context,
            max_tokens=self._max_tokens(lines, kind),
            lines=lines,
            kind=kind,
            supersedes=tuple(each.request.id for each in replaced) if self._techniques.superseding else (),
            objective_ms=OBJECTIVE_MS,
            give_up_ms=max(0, round(give_up_s * 1_000)),
        )
        generation = Generation(request, self._clock())
        if kind != "prefetch":
            document.asked_at = generation.started
        self._counters.began(kind)
        generation.task = asyncio.create_task(self._generate(document, generation), name=f"foretype {request.id}")
        self._tasks.add(generation.task)
        generation.task.add_done_callback(self._tasks.discard)
        # The new request names what it supersedes and is sent first: a proxy may let it take the old one's text over.
        for old in replaced:
            self.cancel(old)
        document.flights.add(generation)
        return generation

    def _max_tokens(self, lines: Lines, kind: Kind) -> int:
        """As many as a text is worth that is as right as the others were lately; all for whoever asked for it."""
        most = MAX_TOKENS[lines]
        if self._trust is None or kind == "invoked":
            return most
        characters = round(most * CHARACTERS_PER_TOKEN)
        worth = self._trust.worth_generating(self._answers or "edge", characters)
        return min(most, math.ceil(worth / CHARACTERS_PER_TOKEN))

    def cancel(self, generation: Generation) -> None:
        """End one generation, at its producer too."""
        if generation.ended or generation.task is None:
            return
        generation.ended = generation.cancelled = True
        self._counters.generations_cancelled += 1
        generation.task.cancel()

    def cancel_all(self, flights: Flights) -> None:
        """End all generations of a document."""
        for generation in list(flights):
            self.cancel(generation)

    def cancel_contradicted(self, document: OpenDocument, context: Context) -> None:
        """End the generations that what was typed has proved wrong."""
        for generation in document.flights.contradicted(context):
            self._judge(generation, context)
            self.cancel(generation)

    async def _generate(self, document: OpenDocument, generation: Generation) -> None:
        def still_wanted(generation: Generation) -> bool:
            if document.context is None:
                return True
            for other in document.flights.superfluous(generation, document.context):
                self.cancel(other)
            return generation.may_serve(document.context)

        try:
            await run(generation, self.source, self._clock, still_wanted)
        finally:
            self._record(document, generation)
            document.wake()

    def _record(self, document: OpenDocument, generation: Generation) -> None:
        kind = generation.request.kind
        self._counters.produced(kind, generation.context, generation.produced, generation.tokens)
        if generation.first_at is not None and kind != "prefetch":
            # A prefetch waits behind everybody's requests: its time says nothing of what a person waits for.
            self._answers = generation.source
            self._first_token[generation.source].add(generation.first_at - generation.started)
            self._counters.began_to_come(generation.source, generation.first_at - generation.started)
        if kind == "prefetch":
            self.budget.prefetched(generation.tokens)
        if generation.completeness is not None:
            self._keep(document, generation, generation.completeness)
        elif generation.cancelled:
            self._counters.tokens_cancelled += generation.tokens
            if generation.task is not None and not generation.task.cancelling():
                self._counters.generations_cancelled += 1  # by its own text, not by `cancel`
                self._judge(generation, document.context)
        elif kind != "prefetch":  # of which many are shed: that is no failure
            self._counters.generations_failed += 1
            if generation.failure != self.last_failure:
                self.last_failure = generation.failure
                logger.info("No suggestion: %s", generation.failure)

    def _keep(self, document: OpenDocument, generation: Generation, completeness: Completeness) -> None:
        self.last_failure = ""
        # Where a circle ends must not depend on how much of it was typed already, so it is left here, once.
        produced = first_round(generation.produced)
        if len(produced) < len(generation.produced):
            completeness = Completeness.WHOLE
        elif completeness is Completeness.CUT_BY_LIMIT and generation.request.max_tokens < MAX_TOKENS[generation.lines]:
            completeness = Completeness.SHORTENED
        self._cache.store(
            generation.context,
            produced,
            generation.lines,
            completeness,
            generation.source,
            doubtful=not is_confident(generation.mean_logprob, generation.model),
            mean_logprob=generation.mean_logprob,
            first_logprob=generation.first_logprob,
        )
        if generation.request.kind == "prefetch":
            if produced.strip():
                document.prefetched.append(Prefetched(place(generation.context), produced, generation.tokens))
        else:
            self._judge(generation, document.context)

    def _judge(self, generation: Generation, context: Context | None) -> None:
        """Learn whether a generation survived what was typed since it was asked; not if nothing was."""
        if context is None or generation.request.kind == "prefetch" or generation.judged:
            return
        typed = continuation(generation.context, context)
        if typed:
            generation.judged = True
            self._pacing.survives.add(generation.appended(context) is not None)
