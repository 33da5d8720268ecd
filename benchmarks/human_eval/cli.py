"""The command `python -m benchmarks.human_eval`: ask for solutions, run them, print pass@1."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from benchmarks import contestants, intervals
from benchmarks.contestants import Contestant, positive
from benchmarks.errors import BenchError
from benchmarks.human_eval import isolation, problems, sandbox
from benchmarks.human_eval.isolation import Isolation
from benchmarks.human_eval.problems import MAX_TOKENS, Problem
from benchmarks.human_eval.sandbox import Limits, Verdict

OUTPUT: Final = Path("benchmarks/output/human_eval.json")
CANONICAL: Final = "canonical"
EXIT_CANNOT: Final = 2
MIB: Final = 1 << 20
DESCRIPTION: Final = """\
pass@1 of HumanEval and HumanEval-Infilling, from their official JSONL files, which are not part of this repository.
A foretype-worker writes the solutions (greedy, one each); each runs with its test in a process of its own with limits
of CPU time, memory, processes, files and wall time, and no network. benchmarks/human_eval/README.md says more."""
EPILOG: Final = """\
examples:
  python -m benchmarks.human_eval HumanEval.jsonl.gz HumanEval-SingleLineInfilling.jsonl.gz --model starter
  python -m benchmarks.human_eval HumanEval.jsonl.gz --canonical     (no model: do the official solutions pass here?)"""

Solve = Callable[[Problem], Awaitable[str]]


@dataclass(frozen=True)
class Solved:
    """One problem, what was written for it, and how that went."""

    problem: Problem
    completion: str
    verdict: Verdict


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.human_eval",
        usage="%(prog)s FILE [FILE …] [options] [-- ARGUMENTS OF foretype-worker]",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("files", nargs="+", type=Path, metavar="FILE", help="JSONL, gzipped or not")
    contestants.add_options(options)
    options.add_argument("--canonical", action="store_true", help="run the official solutions instead of a model's")
    options.add_argument("--count", type=positive, metavar="N", help="only the first N problems of each file")
    limits = options.add_argument_group("limits of each program")
    limits.add_argument("--cpu", type=positive, default=Limits.cpu_s, metavar="S", help="default: %(default)s s")
    limits.add_argument("--wall", type=positive, default=int(Limits.wall_s), metavar="S", help="default: %(default)s s")
    limits.add_argument(
        "--memory", type=positive, default=Limits.memory_bytes // MIB, metavar="MIB", help="default: %(default)s MiB"
    )
    limits.add_argument(
        "--allow-network", action="store_true", help="run programs also where they cannot be kept off the network"
    )
    options.add_argument("--json", type=Path, default=OUTPUT, metavar="FILE", help="default: %(default)s")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Solve, run and report; the exit code."""
    own, passed_on = contestants.split(sys.argv[1:] if argv is None else argv)
    options = parser().parse_args(own)
    try:
        results = asyncio.run(measure(options, passed_on))
        write(options.json, results)
    except BenchError as error:
        print(f"human_eval: {error}", file=sys.stderr)
        return EXIT_CANNOT
    except KeyboardInterrupt:
        print("human_eval: stopped; nothing was written.", file=sys.stderr)
        return 130
    return 0


async def measure(options: argparse.Namespace, passed_on: Sequence[str]) -> dict[str, list[Solved]]:
    """Every contestant's solutions with their verdicts, by label. Raises BenchError."""
    tasks = [problem for file in options.files for problem in problems.read(file)[: options.count]]
    place = isolation.find(allow_network=options.allow_network)
    if not place.offline:
        print("note: programs can reach the network here.", file=sys.stderr)
    limits = Limits(options.cpu, float(options.wall), options.memory * MIB)
    asked = [Contestant(CANONICAL)] if options.canonical else contestants.of_options(options, passed_on)
    token = contestants.token(options.token_file)
    results = {}
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        for contestant in asked:
            bar = progress.add_task(contestant.label, total=len(tasks))
            solved = []
            async with solving(contestant, token, canonical=options.canonical) as solve:
                for problem in tasks:
                    solved.append(await attempt(problem, solve, place, limits))
                    progress.advance(bar)
            results[contestant.label] = solved
    return results


@contextlib.asynccontextmanager
async def solving(contestant: Contestant, token: str, *, canonical: bool) -> AsyncIterator[Solve]:
    """How a contestant solves a problem. Raises BenchError."""

    async def official(problem: Problem) -> str:
        return problem.canonical_solution

    if canonical:
        yield official
        return
    async with contestants.session(contestant, token) as client:

        async def ask(problem: Problem) -> str:
            limit = MAX_TOKENS[problem.lines]
            reply = await client.ask(problem.context, problem.lines, limit, problem.stops, doc=problem.task_id[:256])
            return reply.text

        yield ask


async def attempt(problem: Problem, solve: Solve, place: Isolation, limits: Limits) -> Solved:
    """Solve a problem and run the solution. Raises BenchError."""
    completion = await solve(problem)
    try:
        verdict = await asyncio.to_thread(sandbox.run, problem.program(completion), place, limits)
    except OSError as error:
        raise BenchError(f"A program cannot be started: {error}.") from None
    return Solved(problem, completion, verdict)


def write(path: Path, results: dict[str, list[Solved]]) -> None:
    """The table to standard output, all solutions to a JSON file. Raises BenchError."""
    Console().print(table(results))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(to_json(results), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise BenchError(f"The results cannot be written to {path}: {error.strerror}.") from None
    print(f"Every solution and its verdict: {path}")


def by_benchmark(solved: Sequence[Solved]) -> dict[str, list[Solved]]:
    """Solutions by what their ids begin with."""
    groups: dict[str, list[Solved]] = {}
    for one in solved:
        groups.setdefault(one.problem.benchmark, []).append(one)
    return groups


def table(results: dict[str, list[Solved]]) -> Table:
    """pass@1 by benchmark and contestant, and how the others ended."""
    shown = Table("benchmark", "model", "problems", "pass@1 (95 %)", "the others")
    for label, solved in results.items():
        for benchmark, part in by_benchmark(solved).items():
            passed = intervals.share([one.verdict.passed for one in part])
            rest = Counter(one.verdict.outcome for one in part if not one.verdict.passed)
            shown.add_row(
                escape(benchmark),
                escape(label),
                str(len(part)),
                f"{100 * passed.value:.1f} % ({100 * passed.low:.1f}–{100 * passed.high:.1f})",
                ", ".join(f"{count} {outcome}" for outcome, count in rest.most_common()),
            )
    return shown


def to_json(results: dict[str, list[Solved]]) -> list[dict[str, Any]]:
    """Plain values."""
    return [
        {
            "label": label,
            "benchmark": benchmark,
            "pass@1": intervals.share([one.verdict.passed for one in part]).to_json(),
            "solutions": [
                {
                    "task_id": one.problem.task_id,
                    "completion": one.completion,
                    "outcome": one.verdict.outcome,
                    "detail": one.verdict.detail,
                }
                for one in part
            ],
        }
        for label, solved in results.items()
        for benchmark, part in by_benchmark(solved).items()
    ]
