"""The command `python -m benchmarks.draft_acceptance`: decode at real cursors both ways, and report."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.draft_acceptance import kinds, llama
from benchmarks.draft_acceptance.measure import END, Acceptance, Case, Figures, summed_up
from benchmarks.draft_acceptance.speculation import Clock, Ends, plain, speculative
from benchmarks.errors import BenchError
from benchmarks.intervals import Estimate
from benchmarks.quality import contexts, cursors, held_out, report
from benchmarks.quality.cursors import Cursor
from gpu_worker.engines.llama_api import Model
from gpu_worker.errors import WorkerError
from gpu_worker.models import resolve
from gpu_worker.prompt import PromptBuilder
from lsp_server.completer import MAX_TOKENS
from wire_protocol.frames import Lines

COUNTS: Final[dict[Lines, int]] = {"single": 300, "multi": 100}
SEED: Final = 20_261_121
"""The quality bench's, so that these are the first of its cursors."""
DEFAULT_K: Final = 4
OUTPUT: Final = Path("benchmarks/output/draft_acceptance.json")
REFERENCE: Final = 0.82
"""Acceptance on code, overall, as the case study that Foretype answers reports it."""
EXIT_CANNOT: Final = 2
DESCRIPTION: Final = """\
How many tokens of a small model a larger one with the same tokenizer accepts, when the small one drafts for greedy
speculative decoding at the quality bench's cursors in held-out packages; by kind of code; and whether it is faster
here. Both models run in this process through the worker's llama.cpp binding, with the worker's prompt."""


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.draft_acceptance", description=DESCRIPTION)
    options.add_argument("--target", default="starter", metavar="GGUF", help="the larger model (default: starter)")
    options.add_argument("--draft", required=True, metavar="GGUF", help="the smaller one, with the same tokenizer")
    options.add_argument("--k", type=_count, default=DEFAULT_K, help="tokens proposed a step (default: %(default)s)")
    options.add_argument("--count", type=_count, default=COUNTS["single"], help="cursors for lines (%(default)s)")
    options.add_argument("--multi-count", type=_count, default=COUNTS["multi"], help="for blocks (%(default)s)")
    options.add_argument("--seed", type=int, default=SEED, help="of the cursors (default: %(default)s)")
    options.add_argument("--languages", metavar="A,B", help="only these")
    options.add_argument("--threads", type=_count, default=1, help="of llama.cpp (default: 1, as the worker has it)")
    options.add_argument("--held-out", type=Path, default=held_out.DEFAULT_FILE, metavar="FILE", help="%(default)s")
    options.add_argument("--json", type=Path, default=OUTPUT, metavar="FILE", help="default: %(default)s")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and report; the exit code."""
    options = parser().parse_args(argv)
    try:
        target, draft = (resolve(name) for name in (options.target, options.draft))
        drawn = _cursors(options)
        with llama.loaded(target, draft, options.threads) as pair:
            cases = list(decoded(pair, drawn, options.k, time.perf_counter))
        figures = summed_up(cases)
        show(report.console(), figures, options.k, len(cases))
        _write(options.json, figures, cases, options)
    except (BenchError, WorkerError) as error:
        print(f"draft_acceptance: {error}", file=sys.stderr)
        return EXIT_CANNOT
    except KeyboardInterrupt:
        print("draft_acceptance: stopped; nothing was written.", file=sys.stderr)
        return 130
    return 0


def decoded(pair: llama.Pair, drawn: Sequence[Cursor], k: int, clock: Clock) -> Iterator[Case]:
    """Every cursor decoded both ways; which comes first alternates, so that neither always has the warmer cache."""
    model = pair.target.model
    builder = PromptBuilder(model, pair.context)
    console = Console(stderr=True)
    for number, cursor in enumerate(track(drawn, "decoding at cursors", console=console)):
        prompt = builder.build(contexts.of_cursor(cursor), MAX_TOKENS[cursor.task])
        ends = end_of(model, cursor.task)

        if number % 2:
            alone = plain(pair.target, prompt.tokens, prompt.max_new, ends, clock)
            helped = speculative(pair.target, pair.draft, prompt.tokens, k, prompt.max_new, ends, clock)
        else:
            helped = speculative(pair.target, pair.draft, prompt.tokens, k, prompt.max_new, ends, clock)
            alone = plain(pair.target, prompt.tokens, prompt.max_new, ends, clock)
        yield Case(cursor.task, cursor.record.language, alone, helped, of_tokens(model, cursor, helped.tokens))


def end_of(model: Model, task: Lines) -> Ends:
    """Where a suggestion ends: at a control token; a line's also at the first line break behind visible text."""

    def ends(tokens: Sequence[int]) -> bool:
        if tokens[-1] in model.end_tokens:
            return True
        if task == "multi" or b"\n" not in model.piece(tokens[-1]):
            return False
        return b"\n" in b"".join(model.piece(token) for token in tokens).lstrip()

    return ends


def of_tokens(model: Model, cursor: Cursor, tokens: Sequence[int]) -> list[str]:
    """The kind of each token of an answer at the cursor; END for a control token."""
    text = [model.piece(token) for token in tokens if token not in model.end_tokens]
    before, after, language = cursor.before + cursor.typed, cursor.after, cursor.record.language
    return [*kinds.of_tokens(before, text, after, language), *[END] * (len(tokens) - len(text))]


def show(out: Console, figures: Figures, k: int, count: int) -> None:
    """The tables."""
    table = Table(title=f"Draft acceptance, k = {k}, {count} cursors, 95 % intervals", title_justify="left")
    for heading in ("", "accepted of proposed", "of those reached", "share of proposals", "case study"):
        table.add_column(heading, justify="left" if not heading else "right", no_wrap=True)
    _row(table, "all", figures.overall, f"{100 * REFERENCE:.0f} %")
    for group in (figures.kinds, figures.groups):
        table.add_section()
        for name, one in group.items():
            _row(table, name, one, "")
    out.print(table)
    out.print(
        f"Tokens a step of the target gives: {_number(figures.tokens_per_step)}; "
        f"steps with the draft over without: {_number(figures.steps_left)}.\n"
        f"Seconds with the draft over without, on this CPU: {_number(figures.seconds_decoding)} for decoding, "
        f"{_number(figures.seconds_all)} with the prompt's evaluation (above 1: slower).\n"
        f"Texts that are the same both ways: {report.percent(figures.same)}."
    )


def _row(table: Table, name: str, one: Acceptance, reference: str) -> None:
    table.add_row(
        name, report.percent(one.of_proposed), report.percent(one.of_judged), f"{100 * one.share:.1f} %", reference
    )


def _number(one: Estimate) -> str:
    return f"{one.value:.2f} ({one.low:.2f}–{one.high:.2f})" if one.count else "–"


def _cursors(options: argparse.Namespace) -> list[Cursor]:
    records = held_out.read(options.held_out)
    if options.languages:
        wanted = {name.strip() for name in options.languages.split(",")}
        records = [record for record in records if record.language in wanted]
    counts: dict[Lines, int] = {"single": options.count, "multi": options.multi_count}
    drawn = [one for task, count in counts.items() for one in cursors.draw(records, task, count, options.seed)]
    if not drawn:
        raise BenchError(f"{options.held_out} holds no line of code in the languages asked for: choose others.")
    return drawn


def _write(path: Path, figures: Figures, cases: Sequence[Case], options: argparse.Namespace) -> None:
    settings = {
        "target": Path(options.target).name,
        "draft": Path(options.draft).name,
        "k": options.k,
        "cursors": len(cases),
        "seed": options.seed,
        "threads": options.threads,
        "case_study_acceptance": REFERENCE,
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"settings": settings, **figures.to_json()}, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise BenchError(f"The figures cannot be written to {path}: {error.strerror}.") from None
    print(f"Figures: {path}")


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 100000")
    return int(text)
