"""When an answer to somebody who asked by hand goes on to a larger model; pure.

A small model may answer an invoked request because its shape asked for no more, or because the larger ones were full.
Its text is then held back until its end, when its confidence is known: the mean log-probability of its tokens. If that
is too low, or it said nothing at all, a larger tier is asked, and the small answer is given after all if no text comes
from there soon. What was typed for by itself never waits so: it has 200 ms.

Trade-off: an invoked request that a small model answers well has its first text only with its last. Models differ in
their scales of confidence, so the bound is a setting; an answer that came without log-probabilities is taken as it is.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from edge_proxy.requests import Ask

DEFAULT_BELOW: Final = -1.0
"""Natural logarithm. Half of the starter's suggestions are below it, and are right a sixth as often as the others
(training/MODEL_CARD.md, calibration)."""

ESCALATION_SECONDS: Final = 1.0
"""For the larger model's first text: the limit for a train of thought to stay unbroken (Miller 1968; Nielsen 1993)."""


class Escalation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `[escalation]` table, and what it decides."""

    below: Annotated[float, Meta(le=0.0)] = DEFAULT_BELOW
    """The mean log-probability under which an answer goes on."""

    def goes_on(self, ask: Ask, text: str, mean_logprob: float | None, larger: str, left: float) -> bool:
        """Whether `text` is not the answer yet: `larger` names a tier above, `left` are seconds to the deadline."""
        if ask.kind != "invoked" or not larger or left <= ESCALATION_SECONDS:
            return False
        return not text or (mean_logprob is not None and mean_logprob < self.below)
