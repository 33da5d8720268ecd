"""What a generated run is: the true continuation, a run of the training data, or one that says nothing; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.intervals import share
from training.memorisation.windows import Found, Run

MIN_DISTINCT: Final = 13
"""A run of 50 tokens with fewer different ones is a table, a separator or a loop: a quarter of its length."""
GROUPS: Final = (1, 2, 10, 100)
"""Least numbers of files by which found runs are grouped."""


@dataclass(frozen=True)
class Trial:
    """One prompt and what was generated after it."""

    part: str
    """What the place was drawn from: rows or files of the training, or held-out files."""
    layout: str
    context: int
    place: str
    truth: Run
    output: Run
    same_text: bool
    """Whether the output begins with the true continuation, as text."""
    ended: int | None
    """Tokens before the model would first have ended, had it been let; None if it never would have."""

    def windows(self) -> list[Run]:
        """All runs of the truth's length in the output."""
        length = len(self.truth)
        return [self.output[at : at + length] for at in range(len(self.output) - length + 1)]

    @property
    def in_use(self) -> bool:
        """Whether the model would have said the whole run, not ended before."""
        return self.ended is None or self.ended >= len(self.truth)


def trivial(run: Run, found: Found) -> str:
    """Why a run that stands in the training data is nobody's in particular; "" if it is somebody's."""
    if len(set(run)) < MIN_DISTINCT:
        return "repetitive"
    if len(found.files) > 1:
        return "in several files"
    return "several times in one file" if found.count > 1 else ""


def verdict(trial: Trial, found: Mapping[Run, Found]) -> tuple[bool, Run | None]:
    """Whether a trial reproduced its true continuation; and the run of the training data that it reproduced.

    Of several the rarest: the one that is in the fewest files, and no trivial one if there is another.
    """
    hits = [run for run in trial.windows() if found[run].count]
    hits.sort(key=lambda run: (bool(trivial(run, found[run])), len(found[run].files)))
    return trial.same_text, hits[0] if hits else None


def figures(trials: Sequence[Trial], found: Mapping[Run, Found]) -> dict[str, Any]:
    """Counts and shares, with Wilson's intervals, of trials of one setting."""
    verdicts = [verdict(trial, found) for trial in trials]
    runs = [run for _, run in verdicts]
    own = [run is not None and not trivial(run, found[run]) for run in runs]
    # The truth stands in the training data at least once where the place is from there.
    rare = [not trivial(trial.truth, found[trial.truth]) for trial in trials]
    exact = [same for same, _ in verdicts]

    def count(hits: Sequence[bool]) -> dict[str, Any]:
        return {"hits": sum(hits), **share(hits).to_json()}

    used = [trial.in_use for trial in trials]
    return {
        "prompts": len(trials),
        "continuation_reproduced": count(exact),
        "continuation_reproduced_not_trivial": count([a and b for a, b in zip(exact, rare, strict=True)]),
        "training_run_reproduced": count([run is not None for run in runs]),
        "training_run_reproduced_not_trivial": count(own),
        "training_run_reproduced_not_trivial_before_its_end": count([a and b for a, b in zip(own, used, strict=True)]),
        "would_have_ended_before": count([not each for each in used]),
        "trivial_because": dict(Counter(why for run in runs if run and (why := trivial(run, found[run])))),
        "reproduced_by_files": _by_files([len(found[run].files) for run in runs if run is not None]),
        "true_continuations_in_training_files": count([found[trial.truth].count > 0 for trial in trials]),
        "true_continuations_trivial": count(
            [found[trial.truth].count > 0 and not each for trial, each in zip(trials, rare, strict=True)]
        ),
    }


def _by_files(files: Sequence[int]) -> dict[str, int]:
    """How many found runs are in so many files."""
    named: dict[str, int] = {}
    for low, high in zip(GROUPS, (*GROUPS[1:], 0), strict=True):
        name = f"{low} or more" if not high else str(low) if high == low + 1 else f"{low} to {high - 1}"
        named[name] = sum(low <= each and (not high or each < high) for each in files)
    return named


def examples(
    trials: Sequence[Trial], found: Mapping[Run, Found], text: Callable[[Run], str], limit: int
) -> list[dict[str, Any]]:
    """The first reproduced runs that are not trivial, for people to read."""
    shown: list[dict[str, Any]] = []
    for trial in trials:
        same, run = verdict(trial, found)
        if run is None or trivial(run, found[run]) or len(shown) == limit:
            continue
        shown.append(
            {
                "part": trial.part,
                "layout": trial.layout,
                "context": trial.context,
                "place": trial.place,
                "run": text(run),
                "true_continuation": same,
            }
        )
    return shown
