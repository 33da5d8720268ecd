"""Good and bad suggestions for the model card, drawn at random with a seed from the quality bench's answers; Markdown.

Good is what a person would accept: right up to its end. Bad is what says something and is not. An answer that says
nothing is neither, and is counted. Every answer of a kind is as likely as any other; nothing is chosen by hand.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

RESULTS: Final = Path("benchmarks/output/quality.json")
COUNT: Final = 10
SEED: Final = 20_261_121
MAX_CHARACTERS: Final = 300
"""Of a text in the table; what is longer is cut, and says so."""
_BACKTICKS: Final = re.compile(r"`+")

Answer = dict[str, Any]


def kinds(answers: Sequence[Answer]) -> dict[str, list[Answer]]:
    """The answers as good, bad and silent ones, in their order."""
    found: dict[str, list[Answer]] = {"good": [], "bad": [], "silent": []}
    for answer in answers:
        kind = "silent" if not answer["answer"].strip() else "good" if answer["right"] else "bad"
        found[kind].append(answer)
    return found


def draw(answers: Sequence[Answer], count: int, seed: int) -> list[Answer]:
    """`count` answers at random, all of them if there are not as many."""
    return random.Random(seed).sample(list(answers), min(count, len(answers)))


def code(text: str) -> str:
    """A text as inline code that may stand in a Markdown table's cell; ↵ is a line break, · nothing at all."""
    text = text.rstrip()
    if len(text) > MAX_CHARACTERS:
        text = text[:MAX_CHARACTERS] + "…"
    shown = text.replace("\n", "↵").replace("\t", "    ").replace("|", "\\|")
    if not shown:
        return "·"
    fence = "`" * (max(map(len, _BACKTICKS.findall(shown)), default=0) + 1)
    room = " " if "`" in (shown[0], shown[-1]) or (shown[0] == " " == shown[-1]) else ""
    return f"{fence}{room}{shown}{room}{fence}"


def row(answer: Answer, *, good: bool) -> str:
    """One line of the table: where, what was typed, what was suggested, and for a bad one what stood there."""
    cells = [code(answer["place"]), code(answer["typed"].lstrip()), code(answer["answer"])]
    return "| " + " | ".join(cells if good else [*cells, code(answer["truth"])]) + " |"


def markdown(label: str, answers: Sequence[Answer], count: int, seed: int) -> str:
    """Both tables with a sentence that says how they were made."""
    found = kinds(answers)
    sizes = {kind: len(some) for kind, some in found.items()}
    lines = [
        f"Drawn at random (seed {seed}) from {len(answers)} suggestions of `{label}`: {sizes['good']} a person would "
        f"accept (right up to their end), {sizes['bad']} they would not, {sizes['silent']} that said nothing. "
        "↵ is a line break, · nothing."
    ]
    for kind, title, heading in (
        ("good", "Good", "| where | typed | suggested |\n|---|---|---|"),
        ("bad", "Bad", "| where | typed | suggested | what stood there |\n|---|---|---|---|"),
    ):
        drawn = draw(found[kind], count, seed)
        lines += ["", f"**{title}** ({len(drawn)} of {sizes[kind]})", "", heading]
        lines += [row(answer, good=kind == "good") for answer in drawn]
    return "\n".join(lines) + "\n"


def answers_of(path: Path, label: str | None, task: str) -> tuple[str, list[Answer]]:
    """The label and the answers of one model in the quality bench's JSON; of the first, if none is named.

    Raises:
        SystemExit: the file is missing or is not the bench's, or holds no such model or task.
    """
    try:
        results = json.loads(path.read_text(encoding="utf-8"))["results"]
        found = {result["label"]: result["tasks"] for result in results}
    except FileNotFoundError:
        raise SystemExit(
            f"show_suggestions: no results at {path}: run `python -m benchmarks.quality` first, or pass its --json "
            "file with --results."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SystemExit(
            f"show_suggestions: {path} is not what `python -m benchmarks.quality` writes ({type(error).__name__}: "
            f"{error})."
        ) from None
    label = next(iter(found), None) if label is None else label
    if label is None or task not in found.get(label, {}):
        raise SystemExit(
            f"show_suggestions: {path} has no answers of {label} for {task}: it has {', '.join(found) or 'no models'}."
        )
    return label, list(found[label][task]["answers"])


def main(argv: Sequence[str] | None = None) -> None:
    """Print the Markdown."""
    parser = argparse.ArgumentParser(
        prog="python -m training.show_suggestions",
        description="Good and bad suggestions, drawn by a seed from the quality bench's answers, as Markdown.",
    )
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FILE", help="default: %(default)s")
    parser.add_argument("--label", help="which model of the results (default: the first)")
    parser.add_argument("--task", choices=("single", "multi"), default="single", help="default: %(default)s")
    parser.add_argument("--count", type=int, default=COUNT, help="of each kind (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="default: %(default)s")
    options = parser.parse_args(argv)
    if options.count < 1:
        parser.error("--count must be at least 1")
    label, answers = answers_of(options.results, options.label, options.task)
    print(markdown(label, answers, options.count, options.seed), end="")


if __name__ == "__main__":
    main()
