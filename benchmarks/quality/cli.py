"""The command `python -m benchmarks.quality`: what to measure, on what, and where to write it."""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks import contestants
from benchmarks.contestants import positive
from benchmarks.errors import BenchError
from benchmarks.quality import cursors, held_out, parsing, plot, report, typist
from benchmarks.quality.asking import BASELINES, Result, answering, take_part
from benchmarks.quality.cursors import LANGUAGE_MIX, Cursor
from wire_protocol.frames import Lines

COUNTS: Final[dict[Lines, int]] = {"single": 600, "multi": 200}
FAST_COUNTS: Final[dict[Lines, int]] = {"single": 60, "multi": 20}
SEED: Final = 20_261_121
"""Never changed between models that are compared. (The first starter was chosen by the cursors of seed 7.)"""
OUTPUT: Final = Path("benchmarks/output")
EXIT_CANNOT: Final = 2
DESCRIPTION: Final = """\
How good suggestions are: a real foretype-worker is asked at a fixed, seeded set of cursors in held-out packages, and
its answers are compared with what stood there. Models are compared at the same cursors, and with copying the most
similar line of the file. benchmarks/quality/README.md describes the cursors and defines every measure."""
EPILOG: Final = """\
examples:
  python -m benchmarks.quality --model starter --model previous=old.gguf
  python -m benchmarks.quality --engine openai --url http://127.0.0.1:8000/v1 --model Qwen/Qwen2.5-Coder-1.5B
  python -m benchmarks.quality --worker gpu=ws://127.0.0.1:9100
  python -m benchmarks.quality --fast --languages python,go -- --threads 2      (after --: for foretype-worker)"""


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.quality",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    contestants.add_options(options)
    where = options.add_argument_group("at which cursors")
    where.add_argument(
        "--held-out", type=Path, default=held_out.DEFAULT_FILE, metavar="FILE", help="default: %(default)s"
    )
    where.add_argument("--count", type=positive, metavar="N", help=f"for lines (default: {COUNTS['single']})")
    where.add_argument("--multi-count", type=positive, metavar="N", help=f"for blocks (default: {COUNTS['multi']})")
    where.add_argument(
        "--fast", action="store_true", help=f"{FAST_COUNTS['single']} and {FAST_COUNTS['multi']} cursors: a smoke test"
    )
    where.add_argument("--seed", type=int, default=SEED, help="default: %(default)s; the same for all that is compared")
    where.add_argument("--languages", metavar="A,B", help=f"only these, of {', '.join(LANGUAGE_MIX)}")
    where.add_argument(
        "--asks",
        type=positive,
        default=typist.DEFAULT_ASKS,
        metavar="N",
        help="suggestions the simulated typist waits for in one hole at most (default: %(default)s)",
    )
    where.add_argument(
        "--parallel", type=positive, default=1, metavar="N", help="cursors at once (default: 1, which repeats exactly)"
    )
    out = options.add_argument_group("output")
    out.add_argument("--json", type=Path, default=OUTPUT / "quality.json", metavar="FILE", help="default: %(default)s")
    out.add_argument("--plot", type=Path, default=OUTPUT / "quality.png", metavar="FILE", help="default: %(default)s")
    out.add_argument("--show", type=positive, default=0, metavar="N", help="print N right and N wrong ones, at random")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and report; the exit code."""
    own, passed_on = contestants.split(sys.argv[1:] if argv is None else argv)
    options = parser().parse_args(own)
    options.worker_arguments = passed_on
    try:
        results = asyncio.run(measure(options))
        write(options, results)
    except BenchError as error:
        print(f"quality: {error}", file=sys.stderr)
        return EXIT_CANNOT
    except KeyboardInterrupt:
        print("quality: stopped; nothing was written.", file=sys.stderr)
        return 130
    return 0


async def measure(options: argparse.Namespace) -> list[Result]:
    """Every contestant's judgements, the baselines' last. Raises BenchError."""
    asked = contestants.of_options(options, options.worker_arguments, reserved=list(BASELINES))
    token = contestants.token(options.token_file)
    tasks = _cursors(options)
    total = sum(map(len, tasks.values()))
    results = []
    with _progress() as progress:
        for contestant in asked:
            bar = progress.add_task(contestant.label, total=total)
            async with answering(contestant, token) as (model, ask):
                result = Result(contestant.label, model)
                for task, drawn in tasks.items():
                    step = functools.partial(progress.advance, bar)
                    result.judged[task] = await take_part(drawn, ask, options.asks, options.parallel, step)
            results.append(result)
        for label, copy in BASELINES.items():
            result = Result(label, "the most similar line of the file")
            for task, drawn in tasks.items():
                result.judged[task] = await take_part(drawn, copy, options.asks, 1, lambda: None)
            results.append(result)
    return results


def write(options: argparse.Namespace, results: Sequence[Result]) -> None:
    """Tables to standard output; JSON and the plot to their files. Raises BenchError."""
    out = report.console()
    report.show(out, results)
    for result in results if options.show else ():
        report.show_some(out, result, options.show, options.seed)
    settings = {
        "held_out": options.held_out.name,
        "seed": options.seed,
        "languages": options.languages,
        "asks": options.asks,
        "parallel": options.parallel,
        "engine": options.engine,
        "worker_arguments": options.worker_arguments,
    }
    try:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report.to_json(results, settings), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise BenchError(f"The figures cannot be written to {options.json}: {error.strerror}.") from None
    print(f"Figures and every answer: {options.json}")
    if not plot.available():
        print(plot.MISSING)
        return
    plot.draw(results, options.plot)
    print(f"Plot: {options.plot}")


def _cursors(options: argparse.Namespace) -> dict[Lines, list[Cursor]]:
    records = held_out.read(options.held_out)
    if options.languages:
        wanted = {name.strip() for name in options.languages.split(",")}
        if unknown := sorted(wanted - LANGUAGE_MIX.keys()):
            raise BenchError(f"No cursors are defined for {', '.join(unknown)}: choose of {', '.join(LANGUAGE_MIX)}.")
        records = [record for record in records if record.language in wanted]
    counts = dict(FAST_COUNTS if options.fast else COUNTS)
    counts["single"] = options.count or counts["single"]
    counts["multi"] = options.multi_count or counts["multi"]
    tasks = {task: cursors.draw(records, task, count, options.seed) for task, count in counts.items()}
    if not any(tasks.values()):
        raise BenchError(f"{options.held_out} holds no line of code in the languages asked for: choose others.")
    for task, drawn in tasks.items():
        if len(drawn) < counts[task]:
            _note(f"{options.held_out} has only {len(drawn)} of {counts[task]} cursors for `{task}`.")
    every = [cursor for drawn in tasks.values() for cursor in drawn]
    if not options.languages and (absent := list(cursors.missing_languages(every))):
        _note(f"No cursors in {', '.join(absent)}: their share went to the other languages.")
    if ungrammatical := sorted({cursor.record.language for cursor in every} & set(parsing.missing_grammars())):
        languages = ", ".join(ungrammatical)
        _note(f"Whether files still parse is not measured in {languages}: install their tree-sitter grammars.")
    return {task: drawn for task, drawn in tasks.items() if drawn}


def _note(sentence: str) -> None:
    print(f"note: {sentence}", file=sys.stderr)


def _progress() -> Progress:
    shown = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=shown
    )
