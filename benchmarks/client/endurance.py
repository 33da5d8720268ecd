"""Hours of typing into one language server, time compressed: is its memory flat, and what does a key cost?

    python -m benchmarks.client.endurance --hours 8 --speed 30

The realistic traces are typed one after the other, with new seeds each round, into one process of each client. The
person's pauses are divided by --speed; the backend's delay and the client's own timers are not, so a compressed run
asks less often for a key than a real one, and stresses caches and documents rather than pacing. Nor is the time for
which Foretype keeps a suggestion (ten minutes, five hours of typing at 30 times): memory is flat once it has passed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import psutil
from rich.console import Console
from rich.progress import Progress

from benchmarks.client import loopback_only, peers_installed, report, source_files, traces
from benchmarks.client.backend import StandInOracle
from benchmarks.client.endpoints import serving
from benchmarks.client.oracle import Oracle
from benchmarks.client.person import Person
from benchmarks.client.play import Player
from benchmarks.client.scenes import CLIENTS, client_of
from benchmarks.client.switching import Switching
from benchmarks.client.typist import Typist
from benchmarks.errors import BenchError
from benchmarks.quality.held_out import DEFAULT_FILE
from lsp_server.cache import TTL_S

DELAY_S: Final = 0.02
"""Of the oracle's first token: not compressed with the rest, so short."""
WARM_UP: Final = 0.1
"""Share of the hours after which memory is first compared, at the earliest."""
BOUND: Final = 0.05
"""Growth after warm-up that the issue allows."""
TRACES: Final = 10
EDGE: Final = 5
"""Samples whose mean is the memory after warm-up, and at the end."""


def warm_up_hours(hours: float, speed: float) -> float:
    """Hours of typing after which memory is compared: what the cache keeps has once been through its time to live."""
    return max(WARM_UP * hours, TTL_S * speed / 3_600)


def growth(samples: list[tuple[float, int]], warm_up: float) -> float:
    """Growth of memory from `warm_up` hours on, as a share; samples are (hours, bytes). NaN with too few of them."""
    after = [memory for at, memory in samples if at >= warm_up]
    if len(after) < 2 * EDGE:
        return float("nan")
    first, last = sum(after[:EDGE]) / EDGE, sum(after[-EDGE:]) / EDGE
    return last / first - 1


async def _one(name: str, options: argparse.Namespace, drawn: list[traces.Trace], step: Any) -> dict[str, Any]:
    backend = Switching()
    samples: list[tuple[float, int]] = []
    person_s = cpu_s = 0.0
    keys = rounds = 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ft-hours-", ignore_cleanup_errors=True) as folder:
        async with serving(backend) as port:
            client = client_of(name, port, Path(folder), ())
            try:
                await client.start()
                process = psutil.Process(client.pid)
                while person_s < options.hours * 3_600:
                    trace = dataclasses.replace(drawn[rounds % len(drawn)], seed=options.seed + rounds)
                    rounds += 1
                    backend.present = StandInOracle(Oracle(trace, wrong=True), DELAY_S)
                    client.open(trace.path, trace.language, trace.opened)
                    typist = Typist(trace, Person(trace.habits, trace.seed))
                    played = await Player(client, typist, backend.ledger, options.speed).play()
                    person_s += played.person_s
                    cpu_s += played.cpu_s
                    keys += played.keys
                    samples.append((person_s / 3_600, process.memory_info().rss))
                    step(played.person_s)
            finally:
                with contextlib.suppress(ConnectionError):
                    await client.stop()
    warm_up = warm_up_hours(options.hours, options.speed)
    grown = growth(samples, warm_up)
    return {
        "hours_of_typing": person_s / 3_600,
        "took_s": time.monotonic() - began,
        "time_compressed": options.speed,
        "keys": keys,
        "cpu_ms_a_key": 1_000 * cpu_s / keys if keys else None,
        "warm_up_hours": warm_up,
        "memory_mb": [[round(at, 3), round(memory / 1e6, 2)] for at, memory in samples],
        "growth_after_warm_up": None if grown != grown else grown,
    }


async def _run(options: argparse.Namespace) -> bool:
    out = report.console()
    absent = peers_installed.missing()
    _, sources = source_files.read(options.held_out)
    drawn = traces.realistic(sources, TRACES, options.seed)
    if not drawn:
        raise BenchError("No trace could be drawn: name another file with --held-out.")
    names = [name.strip() for name in options.clients.split(",")]
    result: dict[str, Any] = {"not_measured": absent, "clients": {}}
    flat = True
    for name in names:
        if name in absent:
            out.print(f"[bold]{name} is not measured:[/bold] {absent[name]}.")
            continue
        with Progress(console=Console(stderr=True)) as progress:
            bar = progress.add_task(f"{name}, {options.hours:g} hours", total=options.hours * 3_600)
            measured = await _one(name, options, drawn, lambda seconds, bar=bar: progress.advance(bar, seconds))
        result["clients"][name] = measured
        grown = measured["growth_after_warm_up"]
        after = f"after {measured['warm_up_hours']:.1f} h"
        said = f"{after}: too short to say" if grown is None else f"{after} {100 * grown:+.1f} %"
        out.print(
            f"{name}: {measured['hours_of_typing']:.2f} h of typing in {measured['took_s']:.0f} s (time compressed "
            f"{options.speed:g} times), {measured['keys']} keys; memory {said}; "
            f"CPU {measured['cpu_ms_a_key']:.2f} ms a key"
        )
        if name == "Foretype" and grown is not None:
            flat = grown <= BOUND
    await asyncio.to_thread(report.write, options.json, result)
    return flat


def main() -> int:
    """Type and report; 1 if Foretype's memory grew by more than 5 % after warm-up."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.client.endurance", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--hours", type=float, default=8.0, help="of typing (default: %(default)s)")
    parser.add_argument("--speed", type=float, default=30.0, help="times faster than a person (default: %(default)s)")
    parser.add_argument("--clients", default=",".join(CLIENTS), metavar="A,B", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=20_261_121, help="default: %(default)s")
    parser.add_argument("--held-out", type=Path, default=DEFAULT_FILE, metavar="FILE", help="default: %(default)s")
    parser.add_argument(
        "--json", type=Path, default=Path("benchmarks/output/client_endurance.json"), help="default: %(default)s"
    )
    options = parser.parse_args()
    loopback_only.enter(sys.argv[1:], "benchmarks.client.endurance")
    try:
        return 0 if asyncio.run(_run(options)) else 1
    except BenchError as error:
        print(f"endurance: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
