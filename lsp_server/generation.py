"""Generations in flight: what each has produced, which still agree with what was typed, and which must end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from lsp_server.cache import Completeness
from lsp_server.multiline import end_of
from lsp_server.sources.base import Ended, Piece, Source, SourceName, SourceRequest, SourceUnavailableError
from wire_protocol.agreement import continuation, remaining
from wire_protocol.frames import Context, Lines

logger = logging.getLogger(__name__)

MAX_IN_FLIGHT: Final = 2
"""Per document: the oldest that still agrees, which will be there first, and the newest, which knows most."""

MAX_UNVERIFIED: Final = 3
"""Characters typed since the oldest began, without a word from it, after which a newer one is asked as well: that it
agrees with all of them becomes unlikely."""

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
    tokens: int = 0
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def context(self) -> Context:
        """Where it began."""
        return self.request.context

    @property
    def lines(self) -> Lines:
        """One line, or several."""
        return self.request.lines

    def feed(self, piece: Piece) -> bool:
        """More text came; whether the suggestion is complete, so that the rest is not needed."""
        self.produced += piece.text
        self.source = piece.source
        end = end_of(self.context, self.produced, self.lines)
        if end is not None:
            self.produced = self.produced[:end]
            self.completeness = Completeness.WHOLE
        elif len(self.produced) > MAX_PRODUCED:
            self.produced = self.produced[:MAX_PRODUCED]
            self.completeness = Completeness.CUT_BY_LIMIT
        return self.completeness is not None

    def finish(self, end: Ended) -> None:
        """The source came to its end."""
        self.tokens = end.usage.generated_tokens
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


async def run(generation: Generation, source: Source, clock: Callable[[], float]) -> None:
    """Stream the generation to its end: complete, cut, failed, or cancelled. Never raises but for cancellation.

    Leaving the stream early, and cancelling this task, cancels the generation at its producer.
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
                if generation.feed(event):
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

    def wants_newer(self, context: Context, agreeing: list[Generation]) -> bool:
        """Whether one more is to be asked although some agree: too much was typed that none has confirmed."""
        return all(
            not generation.produced and len(generation.appended(context) or "") >= MAX_UNVERIFIED
            for generation in agreeing
        )

    def contradicted(self, context: Context) -> list[Generation]:
        """Those that can give nothing any more."""
        return [generation for generation in self._live() if generation.appended(context) is None]

    def replaced_by_newer(self) -> list[Generation]:
        """Those that must go so that one more can start: all but the oldest."""
        return self._live()[MAX_IN_FLIGHT - 1 :]

    def add(self, generation: Generation) -> None:
        """It was started."""
        self._running.append(generation)
