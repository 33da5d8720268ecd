"""Whether the model was sure enough of what it wrote to show it to somebody who did not ask for it; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

THRESHOLDS: Final[Mapping[str, float]] = {}
"""Mean natural logarithm of the tokens' probabilities from which a model's suggestions are shown, by the model's name;
each model has its own scale. A model that is not here hides nothing.

The starter is not: by the calibration in training/MODEL_CARD.md its confidence hardly tells right from wrong. From -2
on 86 % of its suggestions are shown, of which 8.1 % (6.0-10.9) are right to their end, of all 7.3 % (5.4-9.8); from -1
on 45 % and 10.4 %, which hides a third of those that are right. And what is hidden was generated in vain.
"""


def is_confident(mean_logprob: float | None, model: str, thresholds: Mapping[str, float] | None = None) -> bool:
    """Whether to show a text of this mean log-probability; always if that, or the model's threshold, is not known."""
    threshold = (THRESHOLDS if thresholds is None else thresholds).get(model)
    return threshold is None or mean_logprob is None or mean_logprob >= threshold
