"""The public keys of a token issuer (a JSON Web Key Set, RFC 7517): which are usable, and when to ask again; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from jwt import PyJWK
from jwt.exceptions import PyJWTError

from edge_proxy.tenancy.rates import Rate

Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]  # no HMAC: its key would be the public one; no "none"
FAMILY: Final[dict[str, str]] = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
"""Key type (`kty`) by the first two letters of an algorithm (RFC 7518, section 3.1, and RFC 8037)."""

REFETCH_SECONDS: Final = 10.0
REFETCH_BURST: Final = 3
"""Fetches for keys that are not known: so many at once, and in the long run one in so many seconds. A rotation is seen
at once, and who makes up key ids does not make us knock at the issuer's."""
MAX_AGE_SECONDS: Final = 600.0
"""After which the keys are fetched anew, so that one the issuer withdrew stops letting people in."""


class SigningKeys:
    """`clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock: Final = clock
        self._keys: dict[str, Mapping[str, Any]] = {}
        self._ready: dict[tuple[str, str], PyJWK] = {}
        self._rate: Final = Rate(1.0 / REFETCH_SECONDS, REFETCH_BURST)
        self._asking = False
        self._fetched = float("-inf")

    def replace(self, keys: Sequence[Any]) -> bool:
        """The issuer's keys are these now; False, and nothing changes, if none of them can be used.

        Skipped are symmetric keys and those for encryption.
        """
        usable: dict[str, Mapping[str, Any]] = {
            str(key.get("kid", "")): key
            for key in keys
            if isinstance(key, dict) and key.get("kty") in FAMILY.values() and key.get("use", "sig") == "sig"
        }
        if not usable:
            return False
        self._keys, self._ready = usable, {}
        self._fetched = self._clock()
        return True

    def find(self, kid: str | None, algorithm: str) -> PyJWK | None:
        """The key named `kid` for `algorithm`, which was allowed; None if there is none, or it is of another kind.

        A token without `kid` means the only key, if there is but one.
        """
        if kid is None:
            if len(self._keys) != 1:
                return None
            kid = next(iter(self._keys))
        ready = self._ready.get((kid, algorithm))
        key = self._keys.get(kid)
        if ready is not None or key is None:
            return ready
        if key["kty"] != FAMILY.get(algorithm[:2]) or key.get("alg", algorithm) != algorithm:
            return None
        try:
            ready = self._ready[kid, algorithm] = PyJWK(dict(key), algorithm)
        except (PyJWTError, ValueError, TypeError):  # also what comes through it from the decoders under it
            return None
        return ready

    def has(self, kid: str) -> bool:
        """Whether the issuer still has a key of this name."""
        return kid in self._keys

    def may_ask(self) -> bool:
        """Whether a key that is not known is a reason to fetch, or to wait for a fetch that is under way."""
        return self._asking or self._rate.wait(self._clock()) == 0.0

    def stale(self) -> bool:
        """Whether it is time to fetch in any case."""
        return self._clock() - self._fetched >= MAX_AGE_SECONDS and self.may_ask()

    def begin(self) -> None:
        """A fetch begins."""
        self._rate.take(self._clock())
        self._asking = True

    def end(self) -> None:
        """It is over, however it went."""
        self._asking = False
