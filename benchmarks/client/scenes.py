"""What is played: a backend and traces under a name, for each client in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.client.backend import Backend, StandInOracle, WorkerBackend
from benchmarks.client.clients.base import Client
from benchmarks.client.clients.continue_dev import Continue
from benchmarks.client.clients.foretype import Foretype
from benchmarks.client.clients.tabby import Tabby
from benchmarks.client.endpoints import serving
from benchmarks.client.oracle import Oracle
from benchmarks.client.person import Person
from benchmarks.client.play import Player
from benchmarks.client.scoring import Run
from benchmarks.client.traces import Trace
from benchmarks.client.typist import Typist
from benchmarks.client.worker_session import WorkerSession

CLIENTS: Final = ("Foretype", "Tabby", "Continue")


@dataclass(frozen=True, slots=True)
class Scene:
    """`delay_s`: of the oracle's first token; None: the real worker answers. `wrong`: the oracle that errs."""

    name: str
    traces: tuple[Trace, ...]
    delay_s: float | None
    wrong: bool = False


def client_of(name: str, port: int, folder: Path, without: Sequence[str]) -> Client:
    """A client by its name; `without` names techniques that Foretype goes without."""
    if name == "Tabby":
        return Tabby(port, folder)
    return Continue(port, folder) if name == "Continue" else Foretype(port, folder, without)


async def play(scene: Scene, trace: Trace, name: str, worker: WorkerSession | None, without: Sequence[str] = ()) -> Run:
    """One trace with one fresh client and one fresh ledger. Raises BenchError."""
    oracle = Oracle(trace, scene.wrong)
    backend: Backend
    if scene.delay_s is not None:
        backend = StandInOracle(oracle, scene.delay_s)
    else:
        assert worker is not None
        backend = WorkerBackend(worker, oracle)
    with tempfile.TemporaryDirectory(prefix="ft-client-", ignore_cleanup_errors=True) as folder:
        async with serving(backend) as port:
            client = client_of(name, port, Path(folder), without)
            try:
                typist = Typist(trace, Person(trace.habits, trace.seed))
                await client.start()
                client.open(trace.path, trace.language, trace.opened)
                return Run(await Player(client, typist, backend.ledger).play(), backend.ledger)
            finally:
                with contextlib.suppress(ConnectionError):
                    await client.stop()


async def play_all(
    scene: Scene,
    names: Sequence[str],
    worker: WorkerSession | None,
    parallel: int,
    step: Callable[[], None],
    without: Sequence[str] = (),
) -> dict[str, list[Run]]:
    """Every trace with every client, `parallel` at once."""
    turns = asyncio.Semaphore(parallel)

    async def one(name: str, trace: Trace) -> Run:
        async with turns:
            run = await play(scene, trace, name, worker, without)
            step()
            return run

    # Trace by trace, so that what the machine does besides meets every client alike.
    jobs = {
        (name, number): asyncio.create_task(one(name, trace))
        for number, trace in enumerate(scene.traces)
        for name in names
    }
    try:
        await asyncio.gather(*jobs.values())
    finally:
        for job in jobs.values():
            job.cancel()
        await asyncio.gather(*jobs.values(), return_exceptions=True)
    return {name: [jobs[name, number].result() for number in range(len(scene.traces))] for name in names}
