"""How far texts agree with what is typed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.trust.survival import EDGES, HALF_LIFE, Survival

TRIALS = st.lists(st.tuples(st.integers(0, 80), st.booleans()), max_size=40)


def told(outcomes: list[tuple[int, bool]]) -> Survival:
    """Texts that were typed so far, and were then contradicted or not."""
    survival = Survival()
    for reached, wrong in outcomes:
        survival.begin()
        survival.agreed(0, reached)
        if wrong:
            survival.contradicted(reached)
    return survival


def test_of_an_unknown_source_eight_lines_are_shown() -> None:
    assert Survival().survives(0, 320) > 0.72


def test_a_source_that_is_always_right_stays_trusted() -> None:
    assert told([(60, False)] * 50).survives(0, 320) > 0.9


def test_texts_that_are_wrong_every_twelve_characters_survive_as_an_exponential() -> None:
    quantiles = [round(-12 * math.log1p(-(number + 0.5) / 20)) for number in range(20)]
    survival = told([(reached, True) for number in range(10) for reached in quantiles[number % 2 :: 2]])
    assert survival.survives(0, 12) == pytest.approx(math.exp(-1), abs=0.1)
    assert survival.survives(0, 4) == pytest.approx(math.exp(-4 / 12), abs=0.1)


def test_who_survived_the_first_word_is_trusted_further_if_texts_fail_in_it() -> None:
    survival = told([(0, True), (60, False)] * 20)
    assert survival.survives(0, 5) < 0.7
    assert survival.survives(6, 40) > 0.8


def test_a_slip_that_was_mended_leaves_no_trace() -> None:
    survival = told([(10, False)])
    before = survival.survives(0, 20)
    survival.contradicted(10)
    assert survival.survives(0, 20) < before
    survival.take_back(10)
    assert survival.survives(0, 20) == pytest.approx(before)


def test_a_source_that_has_become_right_is_trusted_again() -> None:
    survival = told([(6, True)] * 100 + [(40, False)] * 3 * HALF_LIFE)
    assert survival.survives(0, 20) > 0.72


@given(TRIALS, st.integers(0, 100), st.integers(0, 100), st.integers(0, 100))
def test_it_is_a_chance_that_only_falls_and_multiplies(
    outcomes: list[tuple[int, bool]], one: int, two: int, three: int
) -> None:
    survival = told(outcomes)
    start, middle, end = sorted((one, two, three))
    whole = survival.survives(start, end)
    assert 0.0 <= whole <= 1.0
    assert whole == pytest.approx(survival.survives(start, middle) * survival.survives(middle, end))


@given(TRIALS, st.sampled_from([0.9, 0.5, 0.2]))
def test_it_reaches_as_far_as_the_chance_says(outcomes: list[tuple[int, bool]], chance: float) -> None:
    survival = told(outcomes)
    reach = survival.reach(chance, at_most=200)
    assert survival.survives(0, reach) >= chance - 1e-9
    assert reach == 200 or survival.survives(0, reach + 1) < chance


def test_the_bins_begin_where_a_text_does() -> None:
    assert EDGES[0] == 0
