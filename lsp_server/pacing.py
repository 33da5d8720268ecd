"""When a model is asked: as soon as the expected worth of its answer is above its cost; pure.

A generation asked after `q` seconds of quiet, whose first token takes `L`, is of use if the person still pauses when
it arrives, or if what was typed meanwhile agrees with it:

    useful(q) = P(gap > q + L | gap > q) + (1 - P(gap > q + L | gap > q)) * survives
    ask at the first q with  taken * useful(q) >= COST,  at the latest at LONGEST_QUIET_S

`P` is this person's own distribution of the time to the next key, after what the cursor stands behind (`pacing_gaps`);
`L` the recent median time to first token of the source that answers; `survives` the recent share of generations that
still agreed after keys typed since they were asked; `taken` the recent share of suggestions that were accepted or typed
through. Everything is measured here; COST is the one judgement. While a person's rhythm or the source is not known:
QUIET_MS. Quiet is counted from the edit, not from the request: editors add a delay of their own before they ask.
"""

from __future__ import annotations

from typing import Final

from lsp_server.keys import Boundary
from lsp_server.pacing_gaps import Gaps
from lsp_server.pacing_share import RecentShare

QUIET_MS: Final = 50
"""Milliseconds without a key after which a pause is likely, where nothing is known of the person."""

COST: Final = 0.12
"""What a generation costs, in accepted suggestions: with `taken` as it usually is, it must be of use in 40 % of cases.
With the priors below every key may ask at once; where text hardly survives typing, those that a pause follows."""

LONGEST_QUIET_S: Final = 0.15
"""Whatever the estimates say: with a source of 50 ms the answer is then there within the 200 ms that are promised."""
STARVING_S: Final = 1.0
"""Without a generation for so long, one is asked after the usual quiet time even if it hardly pays: what is never tried
is never learnt to have become better, and a fast typist would see nothing for good."""
STEP_S: Final = 0.01
"""The resolution at which the first `q` is looked for: timers and editors are not finer."""

PAUSE: Final = 0.5
"""From this chance that the pause outlasts the source on, a boundary is a pause point."""

TAKEN_PRIOR: Final = 0.3
"""Of suggestions shown, those accepted: 30 % over many users of code completion (Ziegler et al., "Measuring GitHub
Copilot's Impact on Productivity", CACM 67(3), 2024)."""
SURVIVES_PRIOR: Final = 0.5
PRIOR_WEIGHT: Final = 8
"""Outcomes as many as which a prior counts."""


class Pacing:
    """What is known of one person's typing; seconds. `quiet_ms` other than QUIET_MS was chosen by the person: it holds.

    `adaptive` False: the quiet time is fixed.
    """

    def __init__(self, quiet_ms: int = QUIET_MS, *, adaptive: bool = True) -> None:
        self._quiet_s = quiet_ms / 1_000
        self._adaptive = adaptive and quiet_ms == QUIET_MS
        self.gaps = Gaps()
        self.survives = RecentShare(SURVIVES_PRIOR, PRIOR_WEIGHT)
        self.taken = RecentShare(TAKEN_PRIOR, PRIOR_WEIGHT)

    def set_quiet(self, quiet_ms: int, *, adaptive: bool = True) -> None:
        """The setting changed; what was learned stays."""
        self._quiet_s = quiet_ms / 1_000
        self._adaptive = adaptive and quiet_ms == QUIET_MS

    def wait_s(
        self,
        *,
        now: float,
        changed_at: float | None,
        invoked: bool,
        new_line: bool,
        boundary: Boundary | None = None,
        first_token_s: float | None = None,
        unasked_s: float = 0.0,
    ) -> float:
        """Seconds from `now` until a model is asked; clock seconds, `changed_at` None if nothing was typed yet.

        An explicit request and a new line are pauses by themselves: they do not wait. `boundary`: where the last key
        left the cursor, None if it was not typed; `first_token_s`: what the source takes, None if that is not known;
        `unasked_s`: since the last generation of this document began.
        """
        if invoked or new_line or changed_at is None:
            return 0.0
        quiet_s = self.quiet_s(boundary, first_token_s, now - changed_at)
        if unasked_s >= STARVING_S:
            quiet_s = min(quiet_s, self._quiet_s)
        return max(0.0, changed_at + quiet_s - now)

    def quiet_s(self, boundary: Boundary | None, first_token_s: float | None, lasted_s: float = 0.0) -> float:
        """Seconds of quiet, counted from the edit, after which asking pays; `lasted_s` of them are over."""
        if not self._adaptive or boundary is None or first_token_s is None or not self.gaps.known:
            return self._quiet_s
        quiet_s = max(0.0, lasted_s)
        while quiet_s < LONGEST_QUIET_S and not self.pays(boundary, quiet_s, first_token_s):
            quiet_s += STEP_S
        return min(quiet_s, LONGEST_QUIET_S)

    def pays(self, boundary: Boundary, quiet_s: float, first_token_s: float) -> bool:
        """Whether a generation asked after `quiet_s` is worth its cost."""
        return self.taken.value * self.useful(boundary, quiet_s, first_token_s) >= COST

    def useful(self, boundary: Boundary, quiet_s: float, first_token_s: float) -> float:
        """The chance that a generation asked after `quiet_s` can be shown when its first token arrives."""
        pause = self.gaps.outlasts(boundary, quiet_s, first_token_s)
        return pause + (1.0 - pause) * self.survives.value

    def is_pause_point(self, boundary: Boundary | None, first_token_s: float | None) -> bool:
        """Whether this person usually pauses at `boundary` for longer than the source takes."""
        if not self._adaptive or boundary is None or first_token_s is None or not self.gaps.known:
            return False
        return self.gaps.outlasts(boundary, 0.0, first_token_s) >= PAUSE and self.pays(boundary, 0.0, first_token_s)
