"""The command `python -m benchmarks.context`: what to measure, on what, and where to write it."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress

from benchmarks import contestants
from benchmarks.contestants import positive
from benchmarks.context import measure, monorepo, report
from benchmarks.context.variants import VARIANTS
from benchmarks.errors import BenchError
from benchmarks.quality import cursors, held_out, typist
from benchmarks.quality.report import console
from lsp_server.workspace.budgets import Limits
from lsp_server.workspace.languages import CODE

SEED: Final = 20_261_121
COUNT: Final = 600
FAST_COUNT: Final = 60
FILES: Final = 100_000
OUTPUT: Final = Path("benchmarks/output/context.json")
EXIT_CANNOT: Final = 2


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.context",
        description="What each kind of workspace context is worth (exact match, keys saved) and costs (time, bytes), "
        "on held-out packages with a real worker; or, with --monorepo, what a large folder costs. "
        "benchmarks/context/README.md describes both.",
    )
    contestants.add_options(options)
    options.add_argument("--held-out", type=Path, default=held_out.DEFAULT_FILE, metavar="FILE")
    options.add_argument(
        "--count", type=positive, metavar="N", help=f"cursors (default: {COUNT}; --fast: {FAST_COUNT})"
    )
    options.add_argument("--fast", action="store_true", help="few cursors, or few files: a smoke test")
    options.add_argument("--seed", type=int, default=SEED, help="default: %(default)s")
    options.add_argument("--asks", type=positive, default=typist.DEFAULT_ASKS, metavar="N")
    options.add_argument("--place", choices=["local", "edge"], default="local", help="whose budgets (default: local)")
    options.add_argument("--context-tokens", type=int, default=0, metavar="N", help="of the model, if it is known")
    options.add_argument(
        "--monorepo",
        type=positive,
        nargs="?",
        const=FILES,
        metavar="N",
        help=f"instead: a folder of N generated files (default: {FILES})",
    )
    options.add_argument("--reach", action="store_true", help="only what needs no model: what the snippets hold")
    options.add_argument("--json", type=Path, default=OUTPUT, metavar="FILE", help="default: %(default)s")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and report; the exit code."""
    own, passed_on = contestants.split(sys.argv[1:] if argv is None else argv)
    options = parser().parse_args(own)
    try:
        if options.monorepo:
            figures: dict[str, Any] = monorepo.measure(2_000 if options.fast else options.monorepo)
            console().print(monorepo.table(figures))
        else:
            figures = asyncio.run(_models(options, passed_on))
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    except BenchError as error:
        print(f"context: {error}", file=sys.stderr)
        return EXIT_CANNOT
    except OSError as error:
        print(f"context: {options.json} cannot be written: {error.strerror}.", file=sys.stderr)
        return EXIT_CANNOT
    except KeyboardInterrupt:
        print("context: stopped; nothing was written.", file=sys.stderr)
        return 130
    print(f"Figures: {options.json}")
    return 0


async def _models(options: argparse.Namespace, passed_on: Sequence[str]) -> dict[str, Any]:
    asked = contestants.of_options(options, passed_on)
    token = contestants.token(options.token_file)
    records = [record for record in held_out.read(options.held_out) if record.language in CODE]
    count = options.count or (FAST_COUNT if options.fast else COUNT)
    drawn = measure.usable(cursors.draw(records, "single", 2 * count, options.seed), records)[:count]
    if not drawn:
        raise BenchError(f"{options.held_out} has no package with several files of one language: use another.")
    limits = Limits(options.place, options.context_tokens)
    figures: dict[str, Any] = {"seed": options.seed, "cursors": len(drawn), "budget_for": options.place, "models": {}}
    if options.reach:
        found = await measure.compare(None, drawn, records, limits, options.asks, lambda: None)
        console().print(report.reach_table(found))
        return {**figures, "reach": {name: report.reach_json(outcome) for name, outcome in found.items()}}
    with Progress(console=Console(stderr=True)) as progress:
        for contestant in asked:
            bar = progress.add_task(contestant.label, total=len(drawn) * len(VARIANTS))
            async with contestants.session(contestant, token) as client:

                def step(bar: Any = bar) -> None:
                    progress.advance(bar)

                outcomes = await measure.compare(client, drawn, records, limits, options.asks, step)
            console().print(report.table(contestant.label, outcomes))
            figures["models"][contestant.label] = report.to_json(outcomes)
    return figures
