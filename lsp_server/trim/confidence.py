"""Whether the model was sure enough of what it wrote to show it to somebody who did not ask for it; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

THRESHOLDS: Final[Mapping[str, float]] = {"starter": -2.0}
"""Mean natural logarithm of the tokens' probabilities from which a model's suggestions are shown, by the model's name;
each model has its own scale. A model that is not here hides nothing.

The starter's is from the calibration in training/MODEL_CARD.md: from -2 on 85 % of its suggestions are shown, with 96 %
of those that are right to their end. From -1.5 on it would be 71 % and 83 %: too many of the few that are right.
"""


def is_confident(mean_logprob: float | None, model: str, thresholds: Mapping[str, float] | None = None) -> bool:
    """Whether to show a text of this mean log-probability; always if that, or the model's threshold, is not known."""
    threshold = (THRESHOLDS if thresholds is None else thresholds).get(model)
    return threshold is None or mean_logprob is None or mean_logprob >= threshold
