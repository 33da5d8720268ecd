"""One answer judged against what was taken away, and many judgements summed up; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from rapidfuzz.distance import Levenshtein

from benchmarks import intervals
from benchmarks.intervals import Estimate
from benchmarks.quality.cursors import Cursor
from benchmarks.quality.parsing import parser
from benchmarks.quality.typist import Typed, right_up_to_its_end, shown

End = Literal["there", "early", "late", "disagrees"]


@dataclass(frozen=True)
class Judged:
    """What one answer is worth at one cursor."""

    cursor: Cursor
    typed: Typed
    exact: bool
    """It is the truth, blanks at line ends aside."""
    right: bool
    """It is right up to its end: a person would accept it."""
    similarity: float
    """1 - Levenshtein distance / the longer one's length: 1 is the same, 0 has nothing in common."""
    end: End
    """Of an answer that agrees with the truth as long as both last: whether it ends where that does."""
    parses: bool | None
    """Whether the file is well formed with the answer in it; None where the true file is not, or nobody knows."""

    @property
    def mean_logprob(self) -> float | None:
        """Of the tokens of the answer; None where there is none."""
        return self.typed.first.mean_logprob


def judge(cursor: Cursor, typed: Typed) -> Judged:
    """Judge the suggestion at the cursor."""
    answer, truth = tidy(typed.first.text), tidy(cursor.truth)
    return Judged(
        cursor=cursor,
        typed=typed,
        exact=answer == truth,
        right=right_up_to_its_end(typed.first.text, cursor.truth),
        similarity=Levenshtein.normalized_similarity(answer, truth),
        end=where_it_ends(answer, truth),
        parses=still_parses(cursor, typed.first.text),
    )


def tidy(text: str) -> str:
    """A text without the blanks at its lines' ends and the blank lines at its own, which nobody sees."""
    return "\n".join(line.rstrip() for line in text.split("\n")).rstrip()


def where_it_ends(answer: str, truth: str) -> End:
    """Where an answer ends that agrees with the truth; an answer that says nothing agrees with nothing."""
    if answer == truth:
        return "there"
    if answer.strip() and truth.startswith(answer):
        return "early"
    return "late" if answer.startswith(truth) else "disagrees"


def still_parses(cursor: Cursor, answer: str) -> bool | None:
    """Whether the whole file is well formed once the answer stands in the hole."""
    parses = parser(cursor.record.language)
    if parses is None or not parses(cursor.record.text):
        return None
    return parses(cursor.before + cursor.typed + shown(answer) + cursor.after)


Measure = Callable[[Sequence[Judged]], Estimate]


def _stops(judged: Sequence[Judged]) -> Estimate:
    return intervals.share([one.end == "there" for one in judged if one.end != "disagrees"])


MEASURES: Final[dict[str, Measure]] = {
    "exact match": lambda judged: intervals.share([one.exact for one in judged]),
    "right up to its end": lambda judged: intervals.share([one.right for one in judged]),
    "edit similarity": lambda judged: intervals.mean([one.similarity for one in judged]),
    "keys saved": lambda judged: intervals.ratio(
        [one.typed.saved for one in judged], [one.typed.keys for one in judged]
    ),
    "file still parses": lambda judged: intervals.share([one.parses for one in judged if one.parses is not None]),
    "stops where the truth stops": _stops,
    "ended by itself": lambda judged: intervals.share([one.typed.first.reason == "stop" for one in judged]),
    "said something": lambda judged: intervals.share([bool(shown(one.typed.first.text)) for one in judged]),
}
"""Every measure of the table, over judgements: shares with Wilson's interval, means and ratios with a bootstrap's."""


def summed_up(judged: Sequence[Judged]) -> dict[str, Estimate]:
    """All measures."""
    return {name: measure(judged) for name, measure in MEASURES.items()}


def grouped(judged: Iterable[Judged], key: Callable[[Judged], str]) -> dict[str, list[Judged]]:
    """Judgements by a property of theirs, in the order in which it first occurs."""
    groups: dict[str, list[Judged]] = {}
    for one in judged:
        groups.setdefault(key(one), []).append(one)
    return groups


BREAKDOWNS: Final[dict[str, Callable[[Judged], str]]] = {
    "language": lambda one: one.cursor.record.language,
    "position": lambda one: one.cursor.kind,
    "quarter of the line": lambda one: f"quarter {one.cursor.quarter}",
}


def advantage(ours: Sequence[Judged], theirs: Sequence[Judged]) -> Estimate:
    """How much more of the same cursors one gets exactly right than another, in shares; bootstrapped in pairs.

    Raises:
        ValueError: the two were not judged at the same cursors.
    """
    if [one.cursor for one in ours] != [one.cursor for one in theirs]:
        raise ValueError("an advantage is measured at the same cursors")
    return intervals.mean([float(mine.exact) - other.exact for mine, other in zip(ours, theirs, strict=True)])
