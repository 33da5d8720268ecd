"""Which A/B arm a session is in; pure.

A hash of the session's name, uniform in [0, 1), falls into one of the arms' shares, laid side by side in the order of
their names; what they leave over is no arm. So a session stays in its arm, and enlarging the last arm moves nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

_BYTES: Final = 8
_RANGE: Final = 256.0**_BYTES


def uniform(name: str) -> float:
    """A number in [0, 1) that depends on `name` alone."""
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=_BYTES, person=b"foretype-arms")
    return int.from_bytes(digest.digest(), "big") / _RANGE


def arm_of(session: str, shares: Mapping[str, float]) -> str:
    """The arm of `session`; "" if it is in none. `shares` sum to 1 at most."""
    at = uniform(session)
    for name in sorted(shares):
        at -= shares[name]
        if at < 0:
            return name
    return ""
