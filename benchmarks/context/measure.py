"""Asks one model at the same cursors in every variant."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.context.packages import companions, written
from benchmarks.context.reach import Reach, reach
from benchmarks.context.variants import VARIANTS, make, with_snippets
from benchmarks.quality import typist
from benchmarks.quality.answers import Answer
from benchmarks.quality.cursors import Cursor
from benchmarks.quality.held_out import Record
from benchmarks.quality.measures import Judged, judge
from benchmarks.worker import WorkerClient
from lsp_server.completer import MAX_TOKENS
from lsp_server.workspace.budgets import Limits
from lsp_server.workspace.file_index import FileIndex
from lsp_server.workspace.languages import family
from wire_protocol.frames import Context, Lines


@dataclass
class Outcome:
    """One variant's judgements in the cursors' order, and what the first answer at each cursor cost."""

    judged: list[Judged] = field(default_factory=list)
    gathered_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    snippet_bytes: list[int] = field(default_factory=list)
    snippets: list[int] = field(default_factory=list)
    prompt_tokens: list[int] = field(default_factory=list)
    first_token_ms: list[float] = field(default_factory=list)
    reach: list[Reach] = field(default_factory=list)


def usable(cursors: Sequence[Cursor], records: Sequence[Record]) -> list[Cursor]:
    """The cursors in packages that have enough files of their language."""
    known = companions(records)
    return [cursor for cursor in cursors if (cursor.record.package, family(cursor.record.language)) in known]


async def compare(
    client: WorkerClient | None,
    cursors: Sequence[Cursor],
    records: Sequence[Record],
    limits: Limits,
    asks: int,
    step: Callable[[], None],
) -> dict[str, Outcome]:
    """Every variant's outcome; without a `client` only what needs no model. Raises BenchError."""
    groups = companions(records)
    outcomes = {name: Outcome() for name in VARIANTS}
    packages = {cursor.record.package for cursor in cursors}
    with tempfile.TemporaryDirectory(prefix="ft-context-") as folder:
        roots = written([record for record in records if record.package in packages], Path(folder))
        indexes: dict[Path, FileIndex] = {}
        for cursor in cursors:
            group = groups[cursor.record.package, family(cursor.record.language)]
            for name, outcome in outcomes.items():
                made = make(name, roots[cursor.record.package], cursor, group, limits, indexes)
                outcome.gathered_ms.append(made.gathered_ms)
                outcome.cpu_ms.append(made.cpu_ms)
                outcome.snippet_bytes.append(made.snippets_bytes)
                outcome.snippets.append(len(made.context.snippets))
                outcome.reach.append(reach(cursor, made.context))
                if client is not None:
                    outcome.judged.append(await _fill(client, cursor, made.context, asks, outcome))
                step()
    return outcomes


async def _fill(client: WorkerClient, cursor: Cursor, made: Context, asks: int, outcome: Outcome) -> Judged:
    first = True

    async def ask(context: Context, lines: Lines) -> Answer:
        nonlocal first
        reply = await client.ask(with_snippets(context, made), lines, MAX_TOKENS[lines], doc=context.path)
        done = reply.done
        if first:
            first = False
            outcome.prompt_tokens.append(done.usage.prompt_tokens)
            outcome.first_token_ms.append(done.timings.first_token_ms)
        return Answer(reply.text, done.reason, done.mean_logprob, done.usage.generated_tokens)

    return judge(cursor, await typist.fill(made, cursor.truth, cursor.task, ask, asks))
