"""Hiding by confidence."""

from __future__ import annotations

import pytest

from lsp_server.trim.confidence import THRESHOLDS, is_confident


@pytest.mark.parametrize(
    ("mean_logprob", "model", "shown"),
    [
        (-0.4, "tuned", True),
        (-0.5, "tuned", True),
        (-0.6, "tuned", False),
        (None, "tuned", True),
        (-9.0, "other", True),
    ],
    ids=["surer", "as sure", "less sure", "not told by the source", "a model without a threshold"],
)
def test_a_text_is_shown_from_its_models_threshold_on(mean_logprob: float | None, model: str, shown: bool) -> None:
    assert is_confident(mean_logprob, model, {"tuned": -0.5}) is shown


def test_of_the_starter_only_what_it_is_least_sure_of_is_hidden() -> None:
    assert [is_confident(value, "starter") for value in (-1.9, THRESHOLDS["starter"], -2.1)] == [True, True, False]
