"""The command `python -m benchmarks.client`: what is played, with whom, and where the figures go."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.client import ablation, loopback_only, peers_installed, plot, report, source_files, traces
from benchmarks.client.scenes import CLIENTS, Scene, play_all
from benchmarks.client.worker_session import started_worker
from benchmarks.errors import BenchError
from benchmarks.quality.held_out import DEFAULT_FILE

DELAYS_MS: Final = (50, 150, 300, 600)
TRACES: Final = 10
SEED: Final = 20_261_121
FAST_DELAY_MS: Final = 300
OUTPUT: Final = Path("benchmarks/output")
EXIT_CANNOT: Final = 2
DESCRIPTION: Final = """\
Foretype's client against tabby-agent and Continue: the same keys at the same times in the same editor, the same backend
behind all. What is measured, and how, is in benchmarks/client/README.md. The peers come from npm:
scripts/setup_bench_client.sh. Nothing is reached but loopback, where the system allows cutting the rest off."""
EPILOG: Final = """\
examples:
  python -m benchmarks.client --fast                       # 49 keys, oracle of 300 ms, all clients: a minute
  python -m benchmarks.client --parallel 4                 # everything with the oracle
  python -m benchmarks.client --real starter               # and the real model on llama.cpp
  python -m benchmarks.client --ablation                   # what each technique is worth
  python -m benchmarks.client --only "wrong oracle,49" --clients Foretype   # some scenes, one client
  python -m benchmarks.client.keystrokes --help            # milliseconds inside the server, large files
  python -m benchmarks.client.endurance --help             # 8 hours of typing, time compressed"""


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.client",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = options.add_argument_group("what is played")
    what.add_argument("--fast", action="store_true", help="only the 49 keys with the oracle of 300 ms")
    what.add_argument("--simple", action="store_true", help="only the 49 keys: with the right oracle and the wrong one")
    what.add_argument("--delays", default=",".join(map(str, DELAYS_MS)), metavar="MS,…", help="default: %(default)s")
    what.add_argument("--traces", type=int, default=TRACES, metavar="N", help="realistic traces (default: %(default)s)")
    what.add_argument("--real", metavar="MODEL", help="also the real model on llama.cpp (`starter`, or a GGUF file)")
    what.add_argument(
        "--ablation", action="store_true", help="only Foretype, each technique switched off alone, in virtual time"
    )
    what.add_argument("--only", default="", metavar="TEXT,…", help="only scenes whose name has one of these in it")
    what.add_argument("--seed", type=int, default=SEED, help="default: %(default)s")
    what.add_argument("--held-out", type=Path, default=DEFAULT_FILE, metavar="FILE", help="default: %(default)s")
    who = options.add_argument_group("with whom")
    who.add_argument("--clients", default=",".join(CLIENTS), metavar="A,B", help="default: %(default)s")
    who.add_argument("--without", default="", metavar="A,B", help="techniques that Foretype goes without")
    who.add_argument("--parallel", type=int, default=1, metavar="N", help="traces at once (default: 1)")
    who.add_argument("--network", action="store_true", help="do not cut the network off")
    out = options.add_argument_group("output")
    out.add_argument("--json", type=Path, default=OUTPUT / "client.json", metavar="FILE", help="default: %(default)s")
    out.add_argument("--plot", type=Path, default=OUTPUT / "client.png", metavar="FILE", help="default: %(default)s")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Play and report; the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = parser().parse_args(arguments)
    alone = False if options.network else loopback_only.enter(arguments)
    try:
        if options.ablation:
            _ablate(options)
        else:
            asyncio.run(_run(options, alone))
    except BenchError as error:
        print(f"bench-client: {error}", file=sys.stderr)
        return EXIT_CANNOT
    except KeyboardInterrupt:
        print("bench-client: stopped; nothing was written.", file=sys.stderr)
        return 130
    return 0


def scenes_of(options: argparse.Namespace) -> tuple[str, list[Scene]]:
    """Where the realistic traces are from, and what is played. Raises BenchError."""
    plain = traces.simple("49 keys", helps=False, seed=options.seed)
    helped = traces.simple("49 keys, editor helps", helps=True, seed=options.seed)
    scenes = [Scene("49 keys at 120 ms, oracle 300 ms", (plain,), FAST_DELAY_MS / 1_000)]
    if options.fast:
        return "", scenes
    scenes.append(Scene("49 keys, editor indents and closes, oracle 300 ms", (helped,), FAST_DELAY_MS / 1_000))
    scenes.append(Scene("the same, oracle wrong every 12 characters", (helped,), FAST_DELAY_MS / 1_000, wrong=True))
    if options.simple:
        return "", scenes
    origin, sources = source_files.read(options.held_out)
    drawn = tuple(traces.realistic(sources, options.traces, options.seed))
    if not drawn:
        raise BenchError(f"No trace could be drawn from {origin}: name another file with --held-out.")
    delays = _delays(options.delays)
    scenes += [Scene(f"{len(drawn)} realistic traces, oracle {ms} ms", drawn, ms / 1_000) for ms in delays]
    scenes += [
        Scene(f"{len(drawn)} realistic traces, wrong oracle {ms} ms", drawn, ms / 1_000, wrong=True)
        for ms in delays
        if ms == FAST_DELAY_MS
    ]
    if options.real:
        scenes.append(Scene(f"{len(drawn)} realistic traces, {options.real} on llama.cpp", drawn, None))
    return origin, scenes


def _delays(text: str) -> list[int]:
    try:
        return [int(each) for each in text.split(",") if each.strip()]
    except ValueError:
        raise BenchError(f"--delays takes milliseconds with commas, and {text!r} is something else.") from None


async def _run(options: argparse.Namespace, alone: bool) -> None:
    out = report.console()
    absent = peers_installed.missing()
    names = [name.strip() for name in options.clients.split(",") if name.strip()]
    if unknown := [name for name in names if name not in CLIENTS]:
        raise BenchError(f"There is no client {unknown[0]!r}: choose of {', '.join(CLIENTS)}.")
    for name in names:
        if name in absent:
            out.print(f"[bold]{name} is not measured:[/bold] {absent[name]}.")
    names = [name for name in names if name not in absent]
    origin, scenes = scenes_of(options)
    wanted = _names(options.only)
    scenes = [scene for scene in scenes if not wanted or any(text in scene.name for text in wanted)]
    if not scenes:
        raise BenchError(f"No scene has {options.only!r} in its name.")
    if not alone:
        out.print("The network is not cut off; the peers' telemetry is off by their settings.")
    result: dict[str, Any] = {
        "loopback_only": alone,
        "seed": options.seed,
        "files": origin,
        "parallel": options.parallel,
        "time": "real",
        "not_measured": absent,
        "scenes": {},
    }
    async with contextlib.AsyncExitStack() as stack:
        worker = None
        if any(scene.delay_s is None for scene in scenes):
            worker = await stack.enter_async_context(started_worker(options.real))
        for scene in scenes:
            with _progress() as progress:
                bar = progress.add_task(scene.name, total=len(scene.traces) * len(names))
                parallel = 1 if scene.delay_s is None else options.parallel
                step = functools.partial(progress.advance, bar)
                runs = await play_all(scene, names, worker, parallel, step, _names(options.without))
            out.print(report.table(scene.name, report.scored(runs)))
            result["scenes"][scene.name] = report.scene_to_json(runs)
    report.write(options.json, result)
    out.print(f"Plot: {options.plot}" if plot.draw(result, options.plot) else plot.MISSING)


def _ablate(options: argparse.Namespace) -> None:
    out = report.console()
    plain = traces.simple("49 keys", helps=False, seed=options.seed)
    helped = traces.simple("49 keys, editor helps", helps=True, seed=options.seed)
    origin, sources = source_files.read(options.held_out)
    stages = ablation.stages(plain, helped, traces.realistic(sources, options.traces, options.seed))
    wanted = _names(options.only)
    stages = [stage for stage in stages if not wanted or any(text in stage.name for text in wanted)]
    result: dict[str, Any] = {"seed": options.seed, "files": origin, "time": "virtual", "scenes": {}}
    for stage, runs in ablation.play_all(stages, ablation.variants(), options.parallel):
        out.print(report.ablation_table(stage.name, report.scored(runs)))
        result["scenes"][stage.name] = report.scene_to_json(runs)
    report.write(options.json, result)


def _names(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
