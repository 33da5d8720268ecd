"""Step 6: how good the shipped file is, on packages it has never seen, at a fixed, seeded set of cursors.

A cursor: a held-out package (each as likely), one of its files, a line with code on it; then, for 70 % of them, a
place inside that line (any, after its indentation), for 30 % the line's start after its indentation. The rest of the
line is taken away; what comes before and after stays. Right means: the first line of the model's greedy suggestion is
exactly what was taken away (trailing blanks aside). The prompt is the worker's, by `training.samples.Layout`.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from training import corpus, settings
from training import tokenizer as vocabulary
from training.runner import Runner
from training.samples import Layout
from training.spans import Lines

MID_LINE = 0.7
MAX_LINE_TOKENS = 48
# Room for the prompt, in tokens, as a laptop's local model gets it.
BEFORE_TOKENS = 700
AFTER_TOKENS = 220
CHARACTERS_PER_TOKEN = 8
# z of a two-sided 95 % interval.
Z = 1.959964
MIN_SHARED = 3


@dataclass(frozen=True)
class Case:
    """A cursor, and the rest of its line, which is to be suggested."""

    package: str
    path: str
    before: str
    typed: str
    truth: str
    after: str
    kind: str


def draw_cases(records: Sequence[dict[str, str]], count: int, seed: int) -> list[Case]:
    """The fixed set of cursors, in one order for all models."""
    generator = random.Random(seed)
    packages: dict[str, list[dict[str, str]]] = {}
    for record in records:
        packages.setdefault(record["package"], []).append(record)
    names = sorted(packages)
    cases: list[Case] = []
    while len(cases) < count:
        record = generator.choice(packages[generator.choice(names)])
        text = record["text"]
        lines = Lines.of(text)
        index = generator.randrange(len(lines))
        start, end, first = lines.starts[index], lines.end(index), lines.starts[index] + lines.indent(index)
        if end - first < 2 or text[first] == "#":
            continue
        middle = generator.random() < MID_LINE
        cursor = generator.randrange(first + 1, end) if middle else first
        cases.append(
            Case(
                package=record["package"],
                path=record["path"],
                before=text[:start],
                typed=text[start:cursor],
                truth=text[cursor:end].rstrip(),
                after=text[end:],
                kind="mid-line" if middle else "line start",
            )
        )
    return cases


def prompt(layout: Layout, case: Case) -> list[int]:
    """The worker's prompt for a cursor."""
    special = layout.special
    return [
        special[vocabulary.FILE_SEPARATOR],
        *layout.ids(case.path + "\n"),
        special[vocabulary.FIM_PREFIX],
        *layout.ids(case.before[-BEFORE_TOKENS * CHARACTERS_PER_TOKEN :])[-BEFORE_TOKENS:],
        special[vocabulary.FIM_SUFFIX],
        *layout.ids(case.after[: AFTER_TOKENS * CHARACTERS_PER_TOKEN])[:AFTER_TOKENS],
        special[vocabulary.FIM_MIDDLE],
        *layout.ids(case.typed),
    ]


def copy_line(case: Case) -> str:
    """The baseline: what follows the typed text, or its longest end, where that stands elsewhere in the file.

    With nothing typed yet: the line after the nearest earlier line that equals the one above.
    """
    above = [line.strip() for line in case.before.split("\n")]
    below = [line.strip() for line in case.after.split("\n")]
    typed = case.typed.strip()
    if not typed:
        written = [line for line in above if line]
        earlier = [at for at in range(len(written) - 1) if written[at] == written[-1]]
        return written[earlier[-1] + 1] if earlier else ""
    for shared in range(len(typed), min(MIN_SHARED, len(typed)) - 1, -1):
        end = typed[-shared:]
        for line in (*reversed(above), *below):
            at = line.find(end)
            if at >= 0 and at + shared < len(line):
                return line[at + shared :]
    return ""


def wilson(right: int, count: int) -> tuple[float, float]:
    """A 95 % interval of a share (Wilson, 1927)."""
    share = right / count
    centre = share + Z * Z / (2 * count)
    spread = Z * math.sqrt(share * (1 - share) / count + Z * Z / (4 * count * count))
    scale = 1 + Z * Z / count
    return (centre - spread) / scale, (centre + spread) / scale


def loss_of(runner: Runner, ids: Sequence[int], answer: Sequence[int]) -> float:
    """The sum of the negative log-probabilities, in nats, of an answer after a prompt."""
    runner.forget()
    rows = runner.feed([*ids, *answer[:-1]], wanted=len(answer)).astype(np.float64)
    top = rows.max(axis=1)
    normaliser = top + np.log(np.exp(rows - top[:, None]).sum(axis=1))
    return float((normaliser - rows[np.arange(len(answer)), list(answer)]).sum())


def suggest(runner: Runner, tokenizer: Tokenizer, ids: Sequence[int], stop: int) -> tuple[str, int, bool]:
    """The first line of a greedy suggestion, how many tokens it took, and whether the model ended it itself."""
    runner.forget()
    out: list[int] = []
    row = runner.feed(ids)[-1]
    while len(out) < MAX_LINE_TOKENS:
        token = int(row.argmax())
        if token == stop:
            return tokenizer.decode(out), len(out), True
        out.append(token)
        text = tokenizer.decode(out)
        if "\n" in text:
            return text.split("\n")[0], len(out), False
        row = runner.feed([token])[-1]
    return tokenizer.decode(out), len(out), False


def share(results: Sequence[bool]) -> dict[str, Any]:
    """A share with its interval."""
    right = sum(results)
    low, high = wilson(right, len(results))
    return {"count": len(results), "share": round(right / len(results), 4), "interval": [round(low, 4), round(high, 4)]}


def by_kind(cases: Sequence[Case], answers: Sequence[str]) -> dict[str, Any]:
    """Exact match over all cursors and over each kind."""
    right = [answer.rstrip() == case.truth for case, answer in zip(cases, answers, strict=True)]
    kinds: dict[str, Callable[[Case], bool]] = {
        "all": lambda case: True,
        "mid-line": lambda case: case.kind == "mid-line",
        "line start": lambda case: case.kind == "line start",
    }
    parts = {
        name: [good for good, case in zip(right, cases, strict=True) if chosen(case)] for name, chosen in kinds.items()
    }
    return {name: share(part) for name, part in parts.items() if part}


def evaluate(model: Path, cases: Sequence[Case], layout: Layout) -> tuple[dict[str, Any], list[str]]:
    """The figures, and the suggestions in the cases' order."""
    stop = layout.special[vocabulary.END]
    answers: list[str] = []
    nats, truth_tokens, made, ended = 0.0, 0, 0, 0
    started = time.monotonic()
    generating = 0.0
    with Runner(model) as runner:
        for case in cases:
            ids = prompt(layout, case)
            before = time.monotonic()
            answer, tokens, itself = suggest(runner, layout.tokenizer, ids, stop)
            generating += time.monotonic() - before
            answers.append(answer)
            made += tokens
            ended += itself
            truth = [*layout.ids(case.truth), stop]
            nats += loss_of(runner, ids, truth)
            truth_tokens += len(truth)
    return {
        "model": model.name,
        "exact_match": by_kind(cases, answers),
        "copying_baseline": by_kind(cases, [copy_line(case) for case in cases]),
        "nats_per_token_of_truth": round(nats / truth_tokens, 4),
        "ended_by_itself": round(ended / len(cases), 4),
        "tokens_generated": made,
        "seconds": round(time.monotonic() - started, 1),
        "milliseconds_per_suggestion": round(1000 * generating / len(cases), 1),
    }, answers


def main() -> None:
    """Print and save the figures; optionally show some suggestions."""
    parser = settings.arguments("Measure the exported model on held-out packages.")
    parser.add_argument("--model", type=Path, help="a GGUF file (default: the installed one)")
    parser.add_argument("--count", type=int, help="number of cursors (default: from the configuration)")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N of the suggestions")
    options = parser.parse_args()
    config = settings.load(options.config)
    model = options.model or config.path(config.export["install"]) / f"{config.train['name']}-q4_0.gguf"
    records = corpus.read_jsonl(config.output / "corpus" / "held_out.jsonl")
    cases = draw_cases(records, options.count or config.evaluate["cursors"], config.evaluate["seed"])
    layout = Layout(vocabulary.load(config.path(config.tokenizer["file"])))
    figures, answers = evaluate(model, cases, layout)
    for case, answer in list(zip(cases, answers, strict=True))[: options.show]:
        mark = "right" if answer.rstrip() == case.truth else "wrong"
        print(f"{mark}  {case.package}  {case.typed.strip()}|{answer}   (truth: {case.truth})")
    print(json.dumps(figures, indent=1))
    (config.output / "evaluation.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
