"""The command `python -m benchmarks.context`: what to measure, on what, and where to write it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress

from benchmarks import contestants
from benchmarks.contestants import Contestant, positive
from benchmarks.context import gathering, likelihood, measure, monorepo, report
from benchmarks.context.layouts import Layout
from benchmarks.context.measure import Judges
from benchmarks.context.variants import VARIANTS
from benchmarks.errors import BenchError
from benchmarks.quality import cursors, held_out, typist
from benchmarks.quality.cursors import Cursor
from benchmarks.quality.held_out import Record
from benchmarks.quality.report import console
from lsp_server.workspace.budgets import Limits
from lsp_server.workspace.languages import CODE

SEED: Final = 20_261_121
COUNT: Final = 600
FAST_COUNT: Final = 60
FILES: Final = 100_000
FAST_FILES: Final = 2_000
OUTPUT: Final = Path("benchmarks/output/context.json")
EXIT_CANNOT: Final = 2

PARTS: Final = ("given", "likelihood", "answers", "gathering", "monorepo")
PLACES: Final = {"local": Limits("local"), "edge": Limits("edge", 32_768)}


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.context",
        description="What each kind of workspace context is worth (exact match, keys saved, likelihood, names covered) "
        "and costs (bytes, tokens, time, memory), on held-out packages and in a folder of very many files. "
        "benchmarks/context/README.md describes each part.",
    )
    contestants.add_options(options)
    options.add_argument("--only", action="append", choices=PARTS, help="a part; may be repeated (default: all)")
    options.add_argument("--held-out", type=Path, default=held_out.DEFAULT_FILE, metavar="FILE")
    options.add_argument(
        "--count", type=positive, metavar="N", help=f"cursors (default: {COUNT}; --fast: {FAST_COUNT})"
    )
    options.add_argument("--fast", action="store_true", help="few cursors, and few files: a smoke test")
    options.add_argument("--seed", type=int, default=SEED, help="default: %(default)s")
    options.add_argument("--asks", type=positive, default=typist.DEFAULT_ASKS, metavar="N")
    options.add_argument("--place", choices=list(PLACES), default="local", help="whose budgets models get")
    options.add_argument("--context-tokens", type=int, default=0, metavar="N", help="of the model, if it is known")
    options.add_argument(
        "--layout",
        action="append",
        default=[],
        metavar="[LABEL=]FILE",
        help="a GGUF file whose vocabulary is enough: tokens of the contexts in its layout; may be repeated",
    )
    options.add_argument(
        "--files", type=positive, metavar="N", help=f"of the monorepo (default: {FILES}; --fast: {FAST_FILES})"
    )
    options.add_argument("--json", type=Path, default=OUTPUT, metavar="FILE", help="default: %(default)s")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and report; the exit code."""
    own, passed_on = contestants.split(sys.argv[1:] if argv is None else argv)
    options = parser().parse_args(own)
    figures: dict[str, Any] = {"seed": options.seed}
    try:
        for part in options.only or PARTS:
            figures[part] = _measured(part, options, passed_on)
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    except BenchError as error:
        print(f"context: {error}", file=sys.stderr)
        return EXIT_CANNOT
    except OSError as error:
        print(f"context: {options.json} cannot be written: {error.strerror}.", file=sys.stderr)
        return EXIT_CANNOT
    except KeyboardInterrupt:
        print("context: stopped; the parts that were finished are written.", file=sys.stderr)
        return 130
    print(f"Figures: {options.json}")
    return 0


def _measured(part: str, options: argparse.Namespace, passed_on: Sequence[str]) -> dict[str, Any]:
    out = console()
    if part == "monorepo":
        blocks = monorepo.BLOCKS // 8 if options.fast else monorepo.BLOCKS
        figures = monorepo.measure(options.files or (FAST_FILES if options.fast else FILES), blocks)
        out.print(monorepo.table(figures))
        return figures
    records = [record for record in held_out.read(options.held_out) if record.language in CODE]
    if part == "gathering":
        gathers = gathering.GATHERS // 10 if options.fast else gathering.GATHERS
        figures = gathering.measure(records, gathers, options.seed)
        out.print(gathering.table(figures))
        return figures
    count = options.count or (FAST_COUNT if options.fast else COUNT)
    drawn = measure.usable(cursors.draw(records, "single", 2 * count, options.seed), records)[:count]
    if not drawn:
        raise BenchError(f"{options.held_out} has no package with several files of one language: use another.")
    if part == "given":
        layouts = {label: Layout(Path(file)) for label, file in map(contestants.labelled, options.layout)}
        return {name: _given(name, limits, drawn, records, layouts, out) for name, limits in PLACES.items()}
    limits = Limits(options.place, options.context_tokens or PLACES[options.place].context_tokens)
    asked = contestants.of_options(options, passed_on)
    judge = _likelihood if part == "likelihood" else _answers
    figures = {"cursors": len(drawn), "budget_for": options.place}
    return figures | {each.label: asyncio.run(judge(each, limits, drawn, records, options, out)) for each in asked}


def _given(
    place: str,
    limits: Limits,
    drawn: Sequence[Cursor],
    records: Sequence[Record],
    layouts: dict[str, Layout],
    out: Console,
) -> dict[str, Any]:
    with _progress(f"given, {place}", drawn) as step:
        outcomes = asyncio.run(measure.compare(drawn, records, limits, Judges(layouts=layouts), step))
    out.print(report.reach_table(f"budgets of the {place} place", outcomes))
    return {"cursors": len(drawn), **report.reach_json(outcomes)}


async def _likelihood(
    contestant: Contestant,
    limits: Limits,
    drawn: Sequence[Cursor],
    records: Sequence[Record],
    options: argparse.Namespace,
    out: Console,
) -> dict[str, Any]:
    """Of models that are files here; of others nothing is known."""
    if "--model" not in contestant.arguments or options.engine != "llama":
        return {}
    name = contestant.arguments[contestant.arguments.index("--model") + 1]
    with likelihood.loaded(name) as found, _progress(f"likelihood, {contestant.label}", drawn) as step:
        outcomes = await measure.compare(drawn, records, limits, Judges(likelihood=found), step)
    out.print(report.likelihood_table(contestant.label, outcomes))
    return report.model_json(outcomes)


async def _answers(
    contestant: Contestant,
    limits: Limits,
    drawn: Sequence[Cursor],
    records: Sequence[Record],
    options: argparse.Namespace,
    out: Console,
) -> dict[str, Any]:
    token = contestants.token(options.token_file)
    async with contestants.session(contestant, token) as client:
        with _progress(f"answers, {contestant.label}", drawn) as step:
            judges = Judges(client=client, asks=options.asks)
            outcomes = await measure.compare(drawn, records, limits, judges, step)
    out.print(report.answers_table(contestant.label, outcomes))
    return report.model_json(outcomes)


@contextlib.contextmanager
def _progress(label: str, drawn: Sequence[Cursor]) -> Iterator[Callable[[], None]]:
    with Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task(label, total=len(drawn) * (len(VARIANTS) + 1))
        yield lambda: progress.advance(bar)
