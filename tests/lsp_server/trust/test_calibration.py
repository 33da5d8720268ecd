"""What a model says of its own certainty, against what became of its texts."""

from __future__ import annotations

import math

import pytest

from lsp_server.cache import Completeness, Entry
from lsp_server.cache.surroundings import Surroundings
from lsp_server.trust.calibration import Calibration, Judged

TEXT = "value + other_value()"


def judged(mean: float | None, first: float | None = None, calibration: Calibration | None = None) -> Judged | None:
    around = Surroundings("", 0, 0, 0, "a.py")
    entry = Entry(TEXT, "single", Completeness.WHOLE, "edge", around, 0.0, False, mean, first)
    return Judged.of(entry, calibration or Calibration())


def test_a_source_that_does_not_say_is_judged_by_others() -> None:
    assert judged(None) is None
    assert judged(math.nan) is None


@pytest.mark.parametrize("first", [-math.inf, math.nan])
def test_a_first_token_that_no_model_gives_is_not_learnt_from(first: float) -> None:
    assert judged(-0.5, first) is None


def test_slips_among_many_texts_never_make_the_ratio_less_than_that_of_a_model_always_right() -> None:
    calibration = Calibration()
    text = judged(-9.0, -9.0, calibration)
    assert text is not None
    for _ in range(200):
        text.begin()
        text.contradicted(0)
        for _ in range(4):  # as many texts come before the slip is mended
            text.begin()
        text.take_back(0)
    assert calibration.ratio > 0
    assert 0 <= text.survives(0, 10) <= 1


def test_a_new_model_is_believed_to_be_calibrated() -> None:
    text = judged(-0.5, -0.5)
    assert text is not None
    assert text.survives(0, len(TEXT)) == pytest.approx(math.exp(-0.5 * len(TEXT) / 3.5), rel=0.01)


def test_the_first_token_decides_on_the_first_characters() -> None:
    sure, unsure = judged(-0.5, -0.05), judged(-0.5, -2.0)
    assert sure is not None
    assert unsure is not None
    assert sure.survives(0, 3) > 0.9
    assert unsure.survives(0, 3) < 0.3


def test_a_model_that_is_too_sure_is_believed_less() -> None:
    calibration = Calibration()
    text = judged(-0.1, -0.1, calibration)
    assert text is not None
    before = text.survives(0, 10)
    for _ in range(10):
        text.begin()
        text.agreed(0, 2)
        text.contradicted(2)
    assert calibration.ratio > 2
    assert text.survives(0, 10) < before


def test_a_model_that_is_right_more_often_than_it_says_is_believed_more() -> None:
    calibration = Calibration()
    text = judged(-1.0, -1.0, calibration)
    assert text is not None
    for _ in range(10):
        text.begin()
        text.agreed(0, len(TEXT))
    assert calibration.ratio < 0.2


def test_a_slip_that_was_mended_leaves_no_trace() -> None:
    calibration = Calibration()
    text = judged(-0.5, -0.5, calibration)
    assert text is not None
    text.begin()
    text.contradicted(3)
    text.take_back(3)
    assert calibration.ratio == pytest.approx(1.0)
