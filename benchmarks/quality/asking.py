"""Asks one contestant at every cursor: a model behind its worker, or the copying baseline."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from benchmarks.contestants import Contestant, session
from benchmarks.errors import BenchError
from benchmarks.quality import baseline, typist
from benchmarks.quality.answers import Answer, Ask
from benchmarks.quality.contexts import of_cursor
from benchmarks.quality.cursors import Cursor
from benchmarks.quality.measures import Judged, judge
from lsp_server.completer import MAX_TOKENS
from wire_protocol.frames import Context, Lines

COPYING: Final = "copying"
"""The stronger baseline's label in every table; differences are to this one."""
COPYING_SIMPLY: Final = "copying, simply"
"""The label of the rule that the first starter was compared with."""


@dataclass
class Result:
    """One contestant's judgements by task, in the cursors' order; `model` is the name its worker states."""

    label: str
    model: str
    judged: dict[Lines, list[Judged]] = field(default_factory=dict)


@contextlib.asynccontextmanager
async def answering(contestant: Contestant, token: str) -> AsyncIterator[tuple[str, Ask]]:
    """The name of the model, and how to ask it. Raises BenchError."""
    async with session(contestant, token) as client:

        async def ask(context: Context, lines: Lines) -> Answer:
            reply = await client.ask(context, lines, MAX_TOKENS[lines], doc=context.path)
            done = reply.done
            return Answer(reply.text, done.reason, done.mean_logprob, done.usage.generated_tokens)

        yield client.model, ask


async def copying(context: Context, lines: Lines) -> Answer:
    """The stronger baseline's answer."""
    return Answer(baseline.copy(context, lines))


async def copying_simply(context: Context, lines: Lines) -> Answer:
    """The simple baseline's answer."""
    return Answer(baseline.copy_simply(context, lines))


BASELINES: Final[dict[str, Ask]] = {COPYING: copying, COPYING_SIMPLY: copying_simply}


async def take_part(
    cursors: Sequence[Cursor], ask: Ask, asks: int, parallel: int, step: Callable[[], None]
) -> list[Judged]:
    """Ask at every cursor, `parallel` of them at once; `step` is called as each is done.

    One at a time (the default) gives the same answers every time: what else a model computes in the same batch moves
    its sums by a last digit, and now and then a near tie.
    """
    room = asyncio.Semaphore(parallel)

    async def at(cursor: Cursor) -> Judged:
        async with room:
            typed = await typist.fill(of_cursor(cursor), cursor.truth, cursor.task, ask, asks)
        step()
        return judge(cursor, typed)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(at(cursor)) for cursor in cursors]
    except ExceptionGroup as group:  # of the cursors' tasks: all that failed before the rest were cancelled
        first = group.exceptions[0]
        raise (BenchError(str(first)) if isinstance(first, BenchError) else group) from None
    return [task.result() for task in tasks]
