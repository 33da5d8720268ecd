"""Asks one model at the same cursors in every variant."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.context.layouts import Layout
from benchmarks.context.likelihood import Likelihood
from benchmarks.context.packages import companions, opened, written
from benchmarks.context.reach import Reach, reach, reach_of
from benchmarks.context.variants import COPY, NONE, VARIANTS, Made, make, with_snippets
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
    nats: list[float] = field(default_factory=list)
    """Of the truth, by a model of its own."""
    characters: list[int] = field(default_factory=list)
    """Of the truth."""
    gathered_ms: list[float] = field(default_factory=list)
    snippet_bytes: list[int] = field(default_factory=list)
    snippets: list[int] = field(default_factory=list)
    prompt_tokens: list[int] = field(default_factory=list)
    first_token_ms: list[float] = field(default_factory=list)
    layouts: dict[str, list[int]] = field(default_factory=dict)
    """Tokens of the prompt in other models' layouts."""
    reach: list[Reach] = field(default_factory=list)


@dataclass(frozen=True)
class Judges:
    """What the contexts are given to; each may be missing."""

    client: WorkerClient | None = None
    asks: int = typist.DEFAULT_ASKS
    likelihood: Likelihood | None = None
    layouts: Mapping[str, Layout] = field(default_factory=dict)


def usable(cursors: Sequence[Cursor], records: Sequence[Record]) -> list[Cursor]:
    """The cursors in packages that have enough files of their language."""
    known = companions(records)
    return [cursor for cursor in cursors if (cursor.record.package, family(cursor.record.language)) in known]


async def compare(
    cursors: Sequence[Cursor],
    records: Sequence[Record],
    limits: Limits,
    judges: Judges,
    step: Callable[[], None] = lambda: None,
) -> dict[str, Outcome]:
    """Every variant's outcome, and CEILINGS, of which only the reach is known. Raises BenchError."""
    groups = companions(records)
    outcomes = {name: Outcome() for name in (*VARIANTS, COPY, *CEILINGS)}
    packages = {cursor.record.package for cursor in cursors}
    with tempfile.TemporaryDirectory(prefix="ft-context-") as folder:
        roots = written([record for record in records if record.package in packages], Path(folder))
        indexes: dict[Path, FileIndex] = {}
        for cursor in cursors:
            group = groups[cursor.record.package, family(cursor.record.language)]
            contexts = make(roots[cursor.record.package], cursor, group, limits, indexes)
            for name, made in contexts.items():
                await _judge(cursor, made, judges, outcomes[name])
                step()
            window = contexts[NONE].context
            for name, files in zip(CEILINGS, (opened(cursor, group), group), strict=True):
                texts = (file.text for file in files if file != cursor.record)
                outcomes[name].reach.append(reach_of(cursor, window, texts))
    return outcomes


CEILINGS: Final = ("(all of the open files)", "(all of the package)")
"""What could be found at all."""


async def _judge(cursor: Cursor, made: Made, judges: Judges, outcome: Outcome) -> None:
    context = made.context
    outcome.gathered_ms.append(made.gathered_ms)
    outcome.snippet_bytes.append(made.snippets_bytes)
    outcome.snippets.append(len(context.snippets))
    outcome.characters.append(len(cursor.truth))
    outcome.reach.append(reach(cursor, context))
    for name, layout in judges.layouts.items():
        outcome.layouts.setdefault(name, []).append(layout.tokens(context))
    if judges.likelihood is not None:
        outcome.nats.append(judges.likelihood.nats(context, cursor.truth))
    if judges.client is not None:
        outcome.judged.append(await _fill(judges.client, cursor, context, judges.asks, outcome))


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
