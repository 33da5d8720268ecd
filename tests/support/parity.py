"""What the engine parity tests compare: one job for every engine, its results, and where two of them part.

A job is JSON: `model` (a folder with safetensors), `context`, `tokens` (how many to generate), `prompts` (token ids),
`truths` (token ids: what the file's author wrote there), `texts` and `layouts` (to tokenise: as plain text, and with
markers read as control tokens), for vLLM also `paths` (the greedy tokens of the reference). A result has, for each
type, `greedy` (token ids) and, along `path` and `truth`, the likeliest token and the given token's log-probability.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

TOKENS = 32
ROUNDING_NATS = 0.01
"""Two engines may part where the reference's first token leads its second by less: sums in another order in fp32.

With the first starter none did: 50 of 50 texts were the same in all."""
BF16_NATS = 0.15
"""From the issue: where the reference's first token leads by at least this, bf16 has the same."""


class Scores(TypedDict, total=False):
    """Along one given path; nats. `margin` is the reference's only."""

    argmax: list[int]
    margin: list[float]
    logprob: list[float]


class Result(TypedDict):
    """What one engine in one type made of the job."""

    greedy: list[list[int]]
    path: list[Scores]
    truth: list[Scores]


@dataclass(frozen=True)
class Parting:
    """Where greedy texts part: which prompt, after how many equal tokens, and the reference's lead there in nats."""

    prompt: int
    step: int
    margin: float


def partings(reference: Result, other: Result) -> list[Parting]:
    """The first difference of each prompt whose greedy tokens differ; what follows a difference is another text."""
    found = []
    for number, (ours, theirs) in enumerate(zip(reference["greedy"], other["greedy"], strict=True)):
        for step, (one, two) in enumerate(zip(ours, theirs, strict=True)):
            if one != two:
                found.append(Parting(number, step, reference["path"][number]["margin"][step]))
                break
    return found


def disagreements(reference: Result, other: Result) -> list[Parting]:
    """Every place of the reference's own path at which the other's likeliest token is not the reference's."""
    return [
        Parting(number, step, reference["path"][number]["margin"][step])
        for number, (ours, theirs) in enumerate(zip(reference["path"], other["path"], strict=True))
        for step, (one, two) in enumerate(zip(ours["argmax"], theirs["argmax"], strict=True))
        if one != two
    ]


def loss(result: Result) -> float:
    """Nats a token of what the files' authors wrote."""
    return -statistics.fmean(value for scores in result["truth"] for value in scores["logprob"])


def worst(found: Sequence[Parting]) -> float:
    """The greatest lead that was overturned, in nats; 0 if none was."""
    return max((parting.margin for parting in found), default=0.0)


def row(weights: str, engine: str, reference: Result, other: Result) -> str:
    """One line of the report."""
    parted, wrong = partings(reference, other), disagreements(reference, other)
    same = len(reference["greedy"]) - len(parted)
    places = sum(len(scores["argmax"]) for scores in reference["path"])
    margins = " ".join(f"{parting.margin:.4f}" for parting in sorted(parted, key=lambda one: one.margin)[-4:])
    return (
        f"{weights:<9}{engine:<24}{same:>4} of {len(reference['greedy'])}{places - len(wrong):>8} of {places}"
        f"{worst(wrong):>9.4f}{loss(other):>9.4f}{loss(other) - loss(reference):>+9.4f}  {margins}"
    )


HEADING = (
    f"{'weights':<9}{'engine':<24}{'same greedy':>10}{'same argmax':>16}{'worst':>8}{'loss':>9}{'differs':>9}"
    "  leads where greedy texts part (the 4 greatest), nats"
)
