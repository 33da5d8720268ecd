"""Twice the load that the workers serve: newest first with shedding against first come, first served; simulated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from benchmarks.edge.first_come import FirstComeLine
from benchmarks.edge.simulation import Fate, NoPrediction, Simulation
from benchmarks.edge.stand_in import Timings
from edge_proxy.prediction import Predictor
from edge_proxy.waiting import FairLine

OBJECTIVE: Final = 0.2
"""Seconds within which the whole answer must be there to count."""

WATCH_SECONDS: Final = 0.0005
"""Between two looks for what is hopeless by now."""
WATCHED_SECONDS: Final = 10.0
"""Of a run: looking costs more than all the rest."""
OVERLOAD_TIMINGS: Final = Timings(first=0.02, between=0.005, chunks=8, slots=16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Shares are of the workers' capacity, times in seconds."""

    name: str
    asked: int
    goodput: float
    shed: int
    shed_after: float
    """Median time from arrival to the shed."""
    told_after: list[float] = field(default_factory=list)
    """From when a miss became predictable to its shed, ascending, of those that were watched."""
    wasted: float
    """Share of what the workers generated that was no part of an answer in time."""


def overload(
    name: str, *, first_come: bool, factor: float, seconds: float, seed: int = 1, watch: bool = False
) -> Outcome:
    """`factor` times the capacity for `seconds`, in simulated time. `watch`: note since when misses are predictable."""
    timings = OVERLOAD_TIMINGS
    line, predictor = (FirstComeLine(), NoPrediction()) if first_come else (FairLine(), Predictor())
    simulation = Simulation(timings, line, predictor, seed=seed)
    simulation.poisson(factor * timings.capacity, seconds)
    if watch:
        simulation.watch(WATCH_SECONDS, min(seconds, WATCHED_SECONDS))
    simulation.time.run(seconds)
    return judge(name, simulation.fates, timings, seconds, simulation.generated)


def judge(name: str, fates: list[Fate], timings: Timings, seconds: float, generated: int) -> Outcome:
    """What the fates of all requests amount to."""
    good = sum(fate.reason == "stop" and (fate.ended or 0.0) - fate.arrived <= OBJECTIVE for fate in fates)
    shed = [fate for fate in fates if fate.reason == "shed"]
    sheds = sorted((fate.ended or 0.0) - fate.arrived for fate in shed)
    told = sorted((fate.ended or 0.0) - fate.hopeless for fate in shed if fate.hopeless is not None)
    return Outcome(
        name=name,
        asked=len(fates),
        goodput=good / (timings.capacity * seconds),
        shed=len(sheds),
        shed_after=sheds[len(sheds) // 2] if sheds else 0.0,
        told_after=told,
        wasted=1.0 - good * timings.chunks / max(1, generated),
    )
