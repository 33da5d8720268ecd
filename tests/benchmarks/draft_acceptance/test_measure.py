"""Rounds become rates: by kind, of what was proposed and of what was reached."""

from __future__ import annotations

from benchmarks.draft_acceptance.measure import END, Case, Count, counts, summed_up
from benchmarks.draft_acceptance.speculation import Outcome, Round

ALONE = Outcome([1, 2, 3, 4, 5], steps=4, prefill_s=1.0, decode_s=4.0)
HELPED = Outcome(
    [1, 2, 3, 4, 5], steps=2, prefill_s=1.5, decode_s=6.0, rounds=[Round(1, (2, 9, 9), 1), Round(3, (4,), 1)]
)
CASE = Case("single", "python", ALONE, HELPED, ["names", "names", "logic", "logic"])


def test_a_proposal_counts_by_what_the_target_has_at_its_place() -> None:
    assert counts(CASE) == {"names": Count(1, 1, 1), "logic": Count(3, 1, 2)}


def test_a_proposal_behind_the_end_is_of_no_kind_of_code() -> None:
    helped = Outcome([1, 2], steps=1, prefill_s=1.0, decode_s=1.0, rounds=[Round(1, (3, 4), 0)])
    assert counts(Case("single", "go", ALONE, helped, ["names", "logic"])) == {
        "logic": Count(1, 0, 1),
        END: Count(1, 0, 0),
    }


def test_the_figures_are_sums_over_cursors() -> None:
    figures = summed_up([CASE, CASE])
    assert figures.overall.of_proposed.value == 2 / 4
    assert figures.overall.of_judged.value == 2 / 3
    assert figures.kinds["logic"].of_proposed.value == 1 / 3
    assert figures.kinds["logic"].share == 3 / 4
    assert figures.tokens_per_step.value == 2.0
    assert figures.steps_left.value == 0.5
    assert figures.seconds_decoding.value == 1.5
    assert figures.seconds_all.value == 7.5 / 5


def test_cursors_weigh_as_much_as_they_propose() -> None:
    long = Outcome([1, 2], steps=1, prefill_s=1.0, decode_s=1.0, rounds=[Round(1, (2,) * 12, 12)])
    figures = summed_up([CASE, Case("multi", "go", ALONE, long, ["names"] * 13)])
    assert figures.overall.of_proposed.value == 14 / 16
    assert figures.groups["multi"].of_proposed.value == 1.0


def test_a_suggestion_that_the_prompt_gave_whole_has_no_steps_to_save() -> None:
    only = Outcome([0], steps=0, prefill_s=1.0, decode_s=0.0)
    figures = summed_up([Case("single", "python", only, only, [END])])
    assert figures.steps_left.count == 0
    assert figures.overall.of_proposed.count == 0
    assert figures.same.value == 1.0


def test_nothing_measured_is_said_as_nothing() -> None:
    assert summed_up([]).to_json()["overall"]["of_proposed"]["value"] is None
