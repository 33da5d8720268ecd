"""What many speculative decodes say together: acceptance, by kind of code too, steps saved, seconds; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks import intervals
from benchmarks.draft_acceptance.kinds import KINDS
from benchmarks.draft_acceptance.speculation import Outcome
from benchmarks.intervals import NOTHING, Estimate

END: Final = "end of suggestion"
"""The place of the token that ends a suggestion, where it is no text, and all places behind it."""


@dataclass(frozen=True)
class Case:
    """One cursor, decoded both ways; `kinds` holds one of KINDS, or END, for each of the target's tokens."""

    task: str
    language: str
    plain: Outcome
    speculative: Outcome
    kinds: Sequence[str]

    @property
    def same(self) -> bool:
        """Whether both ways gave the same tokens."""
        return self.plain.tokens == self.speculative.tokens


@dataclass
class Count:
    """Proposals at places of one kind at one cursor."""

    proposed: int = 0
    accepted: int = 0
    judged: int = 0
    """Proposals whose predecessors in the round were all right: only these say what the draft thinks of the text."""


def counts(case: Case) -> dict[str, Count]:
    """The proposals at one cursor by the kind of what the target has at their place."""
    found: dict[str, Count] = {}
    for one in case.speculative.rounds:
        for at in range(len(one.proposed)):
            place = one.start + at
            count = found.setdefault(case.kinds[place] if place < len(case.kinds) else END, Count())
            count.proposed += 1
            count.accepted += at < one.accepted
            count.judged += at <= one.accepted
    return found


@dataclass(frozen=True)
class Acceptance:
    """Of one kind, or of all: accepted / proposed, and accepted / judged."""

    of_proposed: Estimate
    of_judged: Estimate
    share: float
    """Of all proposals, those of this kind."""

    def to_json(self) -> dict[str, Any]:
        """Plain values; the estimates' counts are cursors."""
        return {
            "of_proposed": self.of_proposed.to_json(),
            "of_judged": self.of_judged.to_json(),
            "share_of_proposals": round(self.share, 5),
        }


@dataclass(frozen=True)
class Figures:
    """Everything measured. Intervals are bootstraps over cursors, for what happens at one cursor hangs together."""

    overall: Acceptance
    kinds: dict[str, Acceptance]
    groups: dict[str, Acceptance]
    tokens_per_step: Estimate
    """Tokens that one step of the target gives: 1 without a draft."""
    steps_left: Estimate
    """Steps of the target with the draft, over those without."""
    seconds_decoding: Estimate
    """Seconds with the draft over seconds without, after the prompt's evaluation: above 1 is slower."""
    seconds_all: Estimate
    """The same with the evaluation of the prompt, which the draft has to do too."""
    same: Estimate
    """Texts that are the same both ways."""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "overall": self.overall.to_json(),
            "by_kind": {name: each.to_json() for name, each in self.kinds.items()},
            "by_group": {name: each.to_json() for name, each in self.groups.items()},
            "tokens_per_target_step": self.tokens_per_step.to_json(),
            "steps_with_draft_over_without": self.steps_left.to_json(),
            "seconds_with_draft_over_without_decoding": self.seconds_decoding.to_json(),
            "seconds_with_draft_over_without_all": self.seconds_all.to_json(),
            "texts_the_same": self.same.to_json(),
        }


def summed_up(cases: Sequence[Case]) -> Figures:
    """The figures of some cursors."""
    by_kind = [counts(case) for case in cases]
    sums = [_sum(each.values()) for each in by_kind]
    total = sum(each.proposed for each in sums)
    groups: dict[str, list[Count]] = {}
    for name in ("task", "language"):
        for case, each in zip(cases, sums, strict=True):
            groups.setdefault(getattr(case, name), []).append(each)
    # Where the prompt's own evaluation gave all there is, no step is left to save.
    long = [case for case in cases if case.plain.steps and case.speculative.steps]
    return Figures(
        overall=_acceptance(sums, total),
        kinds={name: _acceptance([each.get(name, Count()) for each in by_kind], total) for name in (*KINDS, END)},
        groups={name: _acceptance(each, total) for name, each in groups.items()},
        tokens_per_step=_ratio(
            long, lambda case: len(case.speculative.tokens) - 1, lambda case: case.speculative.steps
        ),
        steps_left=_ratio(long, lambda case: case.speculative.steps, lambda case: case.plain.steps),
        seconds_decoding=_ratio(long, lambda case: case.speculative.decode_s, lambda case: case.plain.decode_s),
        seconds_all=_ratio(cases, lambda case: _seconds(case.speculative), lambda case: _seconds(case.plain)),
        same=intervals.share([case.same for case in cases]),
    )


def _seconds(outcome: Outcome) -> float:
    return outcome.prefill_s + outcome.decode_s


def _ratio(cases: Sequence[Case], part: Callable[[Case], float], whole: Callable[[Case], float]) -> Estimate:
    return intervals.ratio([part(case) for case in cases], [whole(case) for case in cases]) if cases else NOTHING


def _sum(each: Iterable[Count]) -> Count:
    total = Count()
    for count in each:
        total.proposed += count.proposed
        total.accepted += count.accepted
        total.judged += count.judged
    return total


def _acceptance(each: Sequence[Count], total: int) -> Acceptance:
    proposing = [count for count in each if count.proposed]
    judging = [count for count in each if count.judged]
    accepted = [float(count.accepted) for count in proposing]
    return Acceptance(
        intervals.ratio(accepted, [count.proposed for count in proposing]) if proposing else NOTHING,
        intervals.ratio([float(count.accepted) for count in judging], [count.judged for count in judging])
        if judging
        else NOTHING,
        sum(count.proposed for count in proposing) / total if total else 0.0,
    )
