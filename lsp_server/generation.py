"""Generations in flight: what each has produced, which still agree with what was typed, and which must end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from lsp_server.cache import Completeness
from lsp_server.multiline import end_of
from lsp_server.sources.base import Ended, Piece, Source, SourceName, SourceRequest, SourceUnavailableError
from lsp_server.trim.repetition import goes_round
from wire_protocol.agreement import continuation, remaining
from wire_protocol.frames import Context, Kind, Lines

logger = logging.getLogger(__name__)

MAX_IN_FLIGHT: Final = 2
"""Per document: the oldest that still agrees, which will be there first, and the newest, which knows most."""

MAX_UNVERIFIED: Final = 3
"""Characters typed since the oldest began, without a word from it, after which a newer one is asked as well: that it
agrees with all of them becomes unlikely."""

CHARACTERS_PER_TOKEN: Final = 3.5
"""Of code: for tokens that nobody counted, as when a stream is left early."""

LOOK_EACH: Final = 12
"""Characters after which a growing text is looked through for circles again: three tokens or so."""

MAX_PRODUCED: Final = 8_192
"""Characters of one generation: a source that ignores `max_tokens` must not fill the memory."""


@dataclass(eq=False, slots=True)
class Generation:
    """One request to a source and what came of it. `ended` once nothing more will come."""

    request: SourceRequest
    started: float
    produced: str = ""
    source: SourceName = "local"
    completeness: Completeness | None = None
    """None while it runs, and when it failed."""
    failure: str = ""
    cancelled: bool = False
    ended: bool = False
    counted_tokens: int = 0
    """As the source counted them at its end; 0 if it was not asked to its end."""
    received: int = 0
    """Characters that came."""
    mean_logprob: float | None = None
    """Of its tokens, as the source said at its end; None if it was stopped before, being complete."""
    first_logprob: float | None = None
    """Of the first of them."""
    model: str = ""
    """What generated it, as the source said at its end."""
    first_at: float | None = None
    """When the first text came, in clock seconds."""
    wanted: bool = False
    """Whether a person waits for it, although it began as a prefetch."""
    judged: bool = False
    """Whether it was learnt if it survived what was typed since it began."""
    task: asyncio.Task[None] | None = field(default=None, repr=False)
    _looked_at: int = 0
    """Characters produced when they were last looked through for circles."""

    @property
    def context(self) -> Context:
        """Where it began."""
        return self.request.context

    @property
    def lines(self) -> Lines:
        """One line, or several."""
        return self.request.lines

    @property
    def speculative(self) -> bool:
        """Whether nobody waits for it: it goes first when another needs its place."""
        return self.request.kind == "prefetch" and not self.wanted

    @property
    def tokens(self) -> int:
        """Generated; estimated if the source did not come to say."""
        return self.counted_tokens or math.ceil(self.received / CHARACTERS_PER_TOKEN)

    def feed(self, piece: Piece) -> bool:
        """More text came; whether the suggestion is complete, so that the rest is not needed."""
        self.produced += piece.text
        self.received += len(piece.text)
        self.source = piece.source
        end = end_of(self.context, self.produced, self.lines)
        if end is not None:
            self.produced = self.produced[:end]
            self.completeness = Completeness.WHOLE
        elif len(self.produced) >= self._looked_at + LOOK_EACH and self._goes_round():
            self.completeness = Completeness.WHOLE
        elif len(self.produced) > MAX_PRODUCED:
            self.produced = self.produced[:MAX_PRODUCED]
            self.completeness = Completeness.CUT_BY_LIMIT
        return self.completeness is not None

    def _goes_round(self) -> bool:
        self._looked_at = len(self.produced)
        return goes_round(self.produced)

    def finish(self, end: Ended) -> None:
        """The source came to its end."""
        self.counted_tokens = end.usage.generated_tokens
        self.mean_logprob, self.first_logprob, self.model = end.mean_logprob, end.first_logprob, end.model
        if not self.produced:
            self.source = end.source
        match end.reason:
            case "stop":
                self.completeness = Completeness.WHOLE
            case "length":
                self.completeness = Completeness.CUT_BY_LIMIT
            case _ if self.produced:
                self.completeness = Completeness.CUT_BY_TIME
            case reason:
                self.failure = end.message or f"The {end.source} source gave no answer ({reason})."

    def appended(self, context: Context) -> str | None:
        """What was typed since, if nothing else changed and the text produced so far agrees; else None."""
        typed = continuation(self.context, context)
        if typed is None or remaining(self.produced, typed) is None:
            return None
        return typed

    def may_serve(self, context: Context) -> bool:
        """Whether it can still give something to a person at `context`: now, or once they took what they are shown."""
        if self.appended(context) is not None:
            return True
        return self.speculative and continuation(context, self.context) is not None


async def run(
    generation: Generation,
    source: Source,
    clock: Callable[[], float],
    still_wanted: Callable[[Generation], bool] = lambda generation: True,
) -> None:
    """Stream the generation to its end: complete, cut, failed, or cancelled. Never raises but for cancellation.

    `still_wanted` is asked at each piece: text may contradict what was typed before it came. Leaving the stream early,
    and cancelling this task, cancels the generation at its producer.
    """
    budget_s = max(0.0, generation.started + generation.request.give_up_ms / 1_000 - clock())
    try:
        async with (
            asyncio.timeout(budget_s),
            contextlib.aclosing(source.generate(generation.request)) as events,
        ):
            async for event in events:
                if isinstance(event, Ended):
                    generation.finish(event)
                    return
                if generation.first_at is None:
                    generation.first_at = clock()
                complete = generation.feed(event)
                if not still_wanted(generation):
                    generation.completeness = None
                    generation.cancelled = True
                    return
                if complete:
                    return
        generation.failure = "The source broke off."
    except TimeoutError:
        if generation.produced:
            generation.completeness = Completeness.CUT_BY_TIME
        else:
            generation.failure = "No answer came in time."
    except SourceUnavailableError as error:
        generation.failure = str(error)
    except asyncio.CancelledError:
        generation.cancelled = True
        raise
    except Exception:
        # A fault in a source must not leave the editor without its answer; the log has the traceback.
        logger.exception("A source failed while it generated.")
        generation.failure = "A source failed; the log file says how."
    finally:
        generation.ended = True


class Flights:
    """The generations of one document that run, oldest first."""

    def __init__(self) -> None:
        self._running: list[Generation] = []

    def __iter__(self) -> Iterator[Generation]:
        return iter(self._live())

    def _live(self) -> list[Generation]:
        self._running = [generation for generation in self._running if not generation.ended]
        return self._running

    def agreeing(self, context: Context, lines: Lines) -> list[Generation]:
        """Those whose text may become what is wanted at `context`, oldest first."""
        return [
            generation
            for generation in self._live()
            if generation.appended(context) is not None and (generation.lines == lines or lines == "single")
        ]

    def wants_newer(self, context: Context, agreeing: list[Generation], overdue_since: float) -> bool:
        """Whether one more is to be asked although some agree: too much was typed that none has confirmed, or it is a
        prefetch begun before `overdue_since` (clock seconds), which most probably waits behind others' requests."""
        return all(
            not generation.produced
            and (
                len(generation.appended(context) or "") >= MAX_UNVERIFIED
                or (generation.request.kind == "prefetch" and generation.started <= overdue_since)
            )
            for generation in agreeing
        )

    def contradicted(self, context: Context) -> list[Generation]:
        """Those that can give nothing any more."""
        return [generation for generation in self._live() if not generation.may_serve(context)]

    def superfluous(self, ahead: Generation, context: Context) -> list[Generation]:
        """Those that were asked because `ahead` was late, once its text has come and goes beyond what was typed.

        They would say the same again, and nobody would see it. One that has begun to speak is left alone.
        """
        typed = ahead.appended(context)
        if typed is None or not remaining(ahead.produced, typed):
            return []
        return [
            other
            for other in self._live()
            if other is not ahead
            and not other.produced
            and (other.lines in (ahead.lines, "single") or typed)
            and other.started >= ahead.started
            and other.appended(context) is not None
            and not other.speculative
        ]

    def replaced_by(self, context: Context, kind: Kind) -> list[Generation]:
        """Those that must go so that one of `kind` at `context` can start.

        For a prefetch: the one before it. Else all but the oldest, prefetches first; and a prefetch of the very same
        text from which nothing came yet, as the new request is more urgent.
        """
        live = self._live()
        if kind == "prefetch":
            return [generation for generation in live if generation.speculative]
        same = [each for each in live if each.request.kind == "prefetch" and _waits_for(each, context)]
        others = sorted((each for each in live if each not in same), key=lambda each: each.speculative)
        return same + others[MAX_IN_FLIGHT - 1 :]

    def has_place_for_prefetch(self) -> bool:
        """Whether a prefetch may start, in place of an earlier one if need be."""
        return sum(not generation.speculative for generation in self._live()) < MAX_IN_FLIGHT

    def add(self, generation: Generation) -> None:
        """It was started."""
        self._running.append(generation)


def _waits_for(generation: Generation, context: Context) -> bool:
    return not generation.produced and generation.appended(context) is not None
