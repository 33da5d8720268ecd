"""The command `python -m training.memorisation`: draw places, generate, look for what came out, report."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from gpu_worker.errors import WorkerError
from gpu_worker.models import resolve
from training import corpus, settings
from training import tokenizer as vocabulary
from training.memorisation import places, verdicts, windows
from training.memorisation.generation import generate
from training.memorisation.places import Question, Record
from training.memorisation.verdicts import Trial
from training.runner import Runner
from training.samples import Layout

RUN_TOKENS: Final = 50
"""The length of run that the question is about."""
CONTEXTS: Final = (50, 200)
RUNNER_CONTEXT: Final = 1_024
COUNT: Final = 1_000
SEED: Final = 20_261_121
EXAMPLES: Final = 20
ROWS: Final = "training rows"
TRAINING: Final = "training files"
PARTS: Final = {TRAINING: "train", "held-out files": "held_out"}
COLUMNS: Final = {
    "true continuation": "continuation_reproduced",
    "  not trivial": "continuation_reproduced_not_trivial",
    "any training run": "training_run_reproduced",
    " not trivial": "training_run_reproduced_not_trivial",
    "would have ended before": "would_have_ended_before",
}
SAMPLE: Final = 'def f(self, x=10):\n    """Naïve."""\n\treturn {"a": [1, 2]}\r\n# <|fim_middle|>\n'


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print the table, write the JSON; the exit code."""
    parser = settings.arguments(
        "How often a model reproduces 50-token runs of its training data, prompted with what stands before them; "
        "the same for held-out files as a control."
    )
    parser.add_argument("--model", default="starter", metavar="GGUF", help="default: the installed starter")
    parser.add_argument("--count", type=_count, default=COUNT, help="places in each part (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="of the places (default: %(default)s)")
    parser.add_argument("--tokens", type=_count, default=RUN_TOKENS, help="generated a prompt (default: %(default)s)")
    parser.add_argument("--threads", type=_count, default=1, help="of llama.cpp (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="default: memorisation.json in the output folder")
    options = parser.parse_args(argv)
    if options.tokens < RUN_TOKENS:
        parser.error(f"--tokens must be at least {RUN_TOKENS}")
    try:
        figures = measure(options)
    except WorkerError as error:
        raise SystemExit(f"memorisation: {error}") from None
    except KeyboardInterrupt:
        print("memorisation: stopped; nothing was written.", file=sys.stderr)
        return 130
    show(figures)
    path = options.json or settings.load(options.config).output / "memorisation.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise SystemExit(f"memorisation: the figures cannot be written to {path}: {error.strerror}.") from None
    print(f"Figures: {path}")
    return 0


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that goes into the JSON.

    Raises:
        SystemExit: corpus, tokenizer or model are missing or do not belong together.
        WorkerError: there is no such model.
    """
    config = settings.load(options.config)
    layout = Layout(vocabulary.load(config.path(config.tokenizer["file"])))
    model = resolve(options.model)
    parts = {part: corpus.read_jsonl(config.output / "corpus" / f"{name}.jsonl") for part, name in PARTS.items()}
    with _progress() as progress, Runner(model, RUNNER_CONTEXT, options.threads) as runner:
        _require_same_tokenizer(runner, layout, model)
        corpora = {}
        for part, records in parts.items():
            bar = progress.add_task(f"tokenising {part}", total=len(records))
            corpora[part] = places.tokenised(records, layout, _to(progress, bar))
        asked = [*_of_rows(config, layout, options)]
        for part, records in parts.items():
            asked += _of_files(records, corpora[part], layout, options, part)
        bar = progress.add_task("generating", total=len(asked))
        trials = []
        for question in asked:
            trials.append(answered(runner, layout, question, options.tokens))
            progress.advance(bar)
        training = corpora[TRAINING]
        bar = progress.add_task("looking through the training tokens", total=len(training.tokens))
        runs = [run for trial in trials for run in (trial.truth, *trial.windows())]
        found = windows.find(training, runs, RUN_TOKENS, _to(progress, bar))
    settled: dict[tuple[str, str, int], list[Trial]] = {}
    for trial in trials:
        settled.setdefault((trial.part, trial.layout, trial.context), []).append(trial)
    return {
        "settings": {
            "model": model.name,
            "places": options.count,
            "seed": options.seed,
            "run_tokens": RUN_TOKENS,
            "generated_tokens": options.tokens,
            "training_tokens": len(training.tokens),
            "training_files": len(training.starts) - 1,
            "trivial": f"fewer than {verdicts.MIN_DISTINCT} different tokens, or found more than once",
        },
        "results": [
            {"part": part, "layout": name, "context": context, **verdicts.figures(chosen, found)}
            for (part, name, context), chosen in settled.items()
        ],
        "examples": verdicts.examples(trials, found, layout.tokenizer.decode, EXAMPLES),
    }


def answered(runner: Runner, layout: Layout, question: Question, tokens: int) -> Trial:
    """What the model says to one prompt."""
    made = generate(runner, question.prompt, tokens, list(layout.special.values()))
    truth = layout.tokenizer.decode(list(question.truth))
    same = layout.tokenizer.decode(list(made.tokens)).startswith(truth)
    return Trial(
        question.part, question.layout, question.context, question.place, question.truth, made.tokens, same, made.ended
    )


def show(figures: dict[str, Any]) -> None:
    """The table."""
    used = figures["settings"]
    title = (
        f"{used['model']}: {used['run_tokens']}-token runs reproduced, "
        f"looked for in {used['training_tokens'] / 1e6:.1f} M training tokens; 95 % intervals"
    )
    table = Table("places in", "layout", "context", "prompts", title=title, title_justify="left")
    for name in COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for row in figures["results"]:
        cells = [_cell(row[key]) for key in COLUMNS.values()]
        table.add_row(row["part"], row["layout"], str(row["context"]), str(row["prompts"]), *cells)
    out = Console()
    (out if out.is_terminal else Console(width=200)).print(table)


def _cell(one: dict[str, Any]) -> str:
    return f"{100 * one['value']:.1f} % ({100 * one['low']:.1f}–{100 * one['high']:.1f})"


def _of_files(
    records: Sequence[Record], tokens: windows.Corpus, layout: Layout, options: argparse.Namespace, part: str
) -> list[Question]:
    drawn = list(places.draw(records, tokens, layout, options.count, max(CONTEXTS), RUN_TOKENS, options.seed))
    if not drawn:
        raise SystemExit(f"memorisation: no file of the {part} is long enough to be asked about: make the corpus anew.")
    return list(places.questions(drawn, layout, part, CONTEXTS))


def _of_rows(config: settings.Settings, layout: Layout, options: argparse.Namespace) -> Iterator[Question]:
    """Places in the rows of each phase, each phase with its share."""
    names = [f"{config.train['name']}-{phase['name']}" for phase in config.train["phases"]]
    paths = [path for name in names if (path := config.output / "rows" / f"{name}.npy").exists()]
    if not paths:
        print(
            f"note: no rows of {config.train['name']}'s training are there: only files are asked about.",
            file=sys.stderr,
        )
    tables = [np.load(path, mmap_mode="r") for path in paths]
    total = sum(table.size for table in tables)
    special = list(layout.special.values())
    for number, table in enumerate(tables):
        share = max(1, round(options.count * table.size / total))
        yield from places.row_questions(table, special, ROWS, share, CONTEXTS, RUN_TOKENS, options.seed + number)


def _to(progress: Progress, bar: TaskID) -> Callable[[int], None]:
    return lambda done: progress.update(bar, completed=done)


def _require_same_tokenizer(runner: Runner, layout: Layout, model: Path) -> None:
    if runner.size != layout.tokenizer.get_vocab_size() or runner.tokenize(SAMPLE) != layout.ids(SAMPLE):
        raise SystemExit(
            f"memorisation: {model} was made with another tokenizer than the configuration's: "
            "pass the model that belongs to it with --model, or its configuration with --config."
        )


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 1000000")
    return int(text)
