"""Each technique of the language server switched off alone: what it is worth. Played in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields

from benchmarks.client.backend import StandInOracle
from benchmarks.client.manners import Careless, Fickle
from benchmarks.client.oracle import Oracle
from benchmarks.client.person import Person
from benchmarks.client.play import Player
from benchmarks.client.scoring import Run
from benchmarks.client.switching import Switching
from benchmarks.client.traces import Trace
from benchmarks.client.typist import Typist
from benchmarks.client.virtual_time import InProcess, run
from lsp_server.techniques import Techniques

Make = Callable[[Trace], Oracle]


@dataclass(frozen=True, slots=True)
class Stage:
    """What is played with every variant. `session`: the traces one after the other in one process, which gets to know
    the person; else each with a fresh one, at the same time."""

    name: str
    traces: tuple[Trace, ...]
    delay_s: float
    oracle: Make
    session: bool = False


def right(trace: Trace) -> Oracle:
    """An oracle that is right."""
    return Oracle(trace, wrong=False)


def wrong(trace: Trace) -> Oracle:
    """One that errs every 12 characters."""
    return Oracle(trace, wrong=True)


def stages(plain: Trace, helped: Trace, drawn: Sequence[Trace]) -> list[Stage]:
    """Those in which techniques can matter: see the benchmark's README for which and why."""
    traces = tuple(drawn)
    return [
        Stage("49 keys, oracle 300 ms", (plain,), 0.3, right),
        Stage("49 keys, editor indents and closes, oracle 300 ms", (helped,), 0.3, right),
        Stage(f"{len(traces)} traces, oracle 150 ms", traces, 0.15, right),
        Stage(f"{len(traces)} traces, oracle 300 ms", traces, 0.3, right),
        Stage(f"{len(traces)} traces in one session, oracle 300 ms", traces, 0.3, right, session=True),
        Stage(f"{len(traces)} traces, wrong oracle 300 ms", traces, 0.3, wrong),
        Stage(f"{len(traces)} traces, fickle oracle 300 ms", traces, 0.3, Fickle),
        Stage(f"{len(traces)} traces, careless oracle 300 ms", traces, 0.3, Careless),
    ]


def variants() -> dict[str, Sequence[str]]:
    """What is switched off, by the label of the row; the first is Foretype as it is."""
    names = [field.name for field in fields(Techniques)]
    return {"Foretype": (), **{f"no {name}": (name,) for name in names}}


def play_all(
    every: Sequence[Stage], chosen: Mapping[str, Sequence[str]], processes: int
) -> Iterator[tuple[Stage, dict[str, list[Run]]]]:
    """Every stage with every variant, `processes` at once; stage by stage."""
    with ProcessPoolExecutor(processes) as pool:
        jobs = [(stage, {label: pool.submit(play, stage, off) for label, off in chosen.items()}) for stage in every]
        for stage, played in jobs:
            yield stage, {label: job.result() for label, job in played.items()}


def play(stage: Stage, without: Sequence[str]) -> list[Run]:
    """One stage with one variant."""
    return run(lambda: _session(stage, without) if stage.session else _apart(stage, without))


async def _apart(stage: Stage, without: Sequence[str]) -> list[Run]:
    return list(await asyncio.gather(*(_alone(stage, trace, without) for trace in stage.traces)))


async def _alone(stage: Stage, trace: Trace, without: Sequence[str]) -> Run:
    backend = StandInOracle(stage.oracle(trace), stage.delay_s)
    client = InProcess(backend, without)
    try:
        return await _trace(client, backend, trace)
    finally:
        await client.stop()


async def _session(stage: Stage, without: Sequence[str]) -> list[Run]:
    backend = Switching()
    client = InProcess(backend, without)
    runs = []
    try:
        for trace in stage.traces:
            present = backend.present = StandInOracle(stage.oracle(trace), stage.delay_s)
            runs.append(await _trace(client, present, trace))
    finally:
        await client.stop()
    return runs


async def _trace(client: InProcess, backend: StandInOracle, trace: Trace) -> Run:
    typist = Typist(trace, Person(trace.habits, trace.seed))
    client.open(trace.path, trace.language, trace.opened)
    return Run(await Player(client, typist, backend.ledger).play(), backend.ledger)
