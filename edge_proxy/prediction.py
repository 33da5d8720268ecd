"""When a waiting request's first token will come, from what the workers did lately; pure.

Formula: with `slots` requests running at once, each for `service` seconds on average, one ends every
`service / slots` seconds (Little's law), so a request with `ahead` others before it starts after `ahead + 1` of
those intervals, and its first token follows after the usual time to first token:

    wait = (ahead + 1) * service / slots + first_token

Both averages are exponentially weighted (weight `WEIGHT` to the newest). Trade-off: arrivals that will overtake are
not foreseen, so under overload the prediction is optimistic, and a request is shed somewhat later than an oracle
would. With nothing observed yet the prediction is 0: nothing is shed on a guess. A request that finds a free credit is
never judged at all, so estimates that became too high correct themselves by what the workers then do.
"""

from __future__ import annotations

from typing import Final

WEIGHT: Final = 0.1
"""Share of the newest observation: the average follows a change within some 20 requests, one outlier moves it 10 %."""


class Predictor:
    """Averages of the workers' recent first-token and service times, in seconds."""

    def __init__(self, weight: float = WEIGHT) -> None:
        self._weight: Final = weight
        self._first_token: float | None = None
        self._service: float | None = None

    def _blend(self, average: float | None, seconds: float) -> float:
        return seconds if average is None else average + self._weight * (seconds - average)

    def saw_first_token(self, seconds: float) -> None:
        """A worker's first text came `seconds` after the submit."""
        self._first_token = self._blend(self._first_token, seconds)

    def saw_end(self, seconds: float) -> None:
        """A worker was done, for whatever reason, `seconds` after the submit: its slot is free again."""
        self._service = self._blend(self._service, seconds)

    def first_token(self, ahead: int, slots: int) -> float:
        """Seconds until the first token of a request with `ahead` others waiting before it.

        `slots` is how many requests the workers run at once; 0 for `slots` means unknown, and predicts 0.
        """
        if slots <= 0:
            return 0.0
        return (ahead + 1) * (self._service or 0.0) / slots + (self._first_token or 0.0)
