"""Whether the model was sure enough of what it wrote; off until the threshold was measured."""

from __future__ import annotations

from typing import Final

MIN_MEAN_LOGPROB: Final[float | None] = None
"""Mean natural logarithm of the tokens' probabilities, from which a suggestion is shown; None: everything is.

To be set to what `benchmarks/quality`'s calibration finds for the starter; each model has its own scale.
"""


def is_confident(mean_logprob: float | None, threshold: float | None = MIN_MEAN_LOGPROB) -> bool:
    """Whether to show a text of this mean log-probability; always if that, or the threshold, is not known."""
    return threshold is None or mean_logprob is None or mean_logprob >= threshold
