"""Hiding by confidence: off until a threshold was measured."""

from __future__ import annotations

import pytest

from lsp_server.trim.confidence import MIN_MEAN_LOGPROB, is_confident


@pytest.mark.parametrize(
    ("mean_logprob", "threshold", "shown"),
    [(-0.4, -0.5, True), (-0.5, -0.5, True), (-0.6, -0.5, False), (None, -0.5, True), (-9.0, None, True)],
    ids=["surer", "as sure", "less sure", "not told by the source", "not measured"],
)
def test_a_text_is_shown_from_the_threshold_on(
    mean_logprob: float | None, threshold: float | None, shown: bool
) -> None:
    assert is_confident(mean_logprob, threshold) is shown


def test_hiding_is_off_until_it_was_measured() -> None:
    assert MIN_MEAN_LOGPROB is None
    assert is_confident(-99.0)
