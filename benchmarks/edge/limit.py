"""Pushed until it breaks: the load grows until answers are late, wrong or missing, and who was busy then."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from benchmarks.edge.sessions import Bench, added, pace

START_RATE: Final = 500.0
GROWTH: Final = 1.4
LATE: Final = 0.1
"""Seconds of added time to first token at the 99th percentile: half of what a person would wait for at all."""
BUSY: Final = 0.9
"""Share of its core from which on a process is what limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One load: completions a second asked for, what was late, and shares of a core."""

    rate: float
    asked: float
    """Completions a second that the generator could ask for."""
    wrong: int
    p50: float
    p99: float
    proxy: float
    generator: float

    @property
    def broke(self) -> str:
        """Why this was too much; empty if it was not."""
        if not (self.wrong or self.p99 > LATE or self.asked < BUSY * self.rate):
            return ""
        what = "answers wrong or missing" if self.wrong else f"p99 over {1_000 * LATE:.0f} ms"
        if self.generator > BUSY and self.generator > self.proxy:
            return f"{what}: the load generator's core is full"
        return f"{what}: {'the proxy' if self.proxy > BUSY else 'neither'} has its core full"


async def until_it_breaks(bench: Bench, seconds: float) -> list[Step]:
    """Loads of `seconds` each, on the sessions that are there; the last one broke."""
    steps: list[Step] = []
    rate = START_RATE
    while not steps or not steps[-1].broke:
        cpu, mine, begin = bench.proxy.cpu_seconds(), time.process_time(), time.monotonic()
        asked = await pace(bench.clients, rate, seconds, f"{rate:.0f}-")
        took = time.monotonic() - begin
        shares = (bench.proxy.cpu_seconds() - cpu) / took, (time.process_time() - mine) / took
        await bench.answered(asked)
        late = added(bench, asked) or [0.0]
        steps.append(
            Step(
                rate=rate,
                asked=len(asked) / took,
                wrong=sum(not one.right(bench.worker.timings.chunks) for one in asked),
                p50=late[len(late) // 2],
                p99=late[int(0.99 * len(late))],
                proxy=shares[0],
                generator=shares[1],
            )
        )
        rate *= GROWTH
    return steps
