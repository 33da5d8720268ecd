"""Tokens that an OpenID Connect issuer signed (JWT, RFC 7519): is it genuine, for us, in time, and whose; pure.

PyJWT verifies; the rules around it are RFC 8725's: algorithms from a list that has no `none` and no HMAC, the key bound
to its kind, issuer and audience always checked, `exp` required.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated, Any, Final

import jwt
import msgspec
from cachetools import LRUCache
from jwt.exceptions import PyJWTError
from msgspec import Meta

from edge_proxy.tenancy.identity import Checked, Identity, KeysWanted, Refused
from edge_proxy.tenancy.signing_keys import Algorithm, SigningKeys
from wire_protocol.frames import MAX_NAME
from wire_protocol.text import clean

REMEMBERED: Final = 8_192
"""Tokens found genuine lately: a script shows the same one with every request, and a signature costs 30 to 100 µs."""
MAX_SKEW: Final = 300.0
"""Seconds; clocks further apart should be set."""


class JwtSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `[jwt]` table: whose signed tokens let people in."""

    issuer: str = ""
    """As in the tokens' `iss`; without it no signed tokens are taken."""
    audience: list[str] = []
    """One of them has to be in a token's `aud`."""
    keys_url: str = ""
    """Of the key set; without it, as {issuer}/.well-known/openid-configuration says."""
    algorithms: Annotated[list[Algorithm], Meta(min_length=1)] = msgspec.field(
        default_factory=lambda: ["RS256", "ES256", "EdDSA"]
    )
    user_claim: str = "sub"
    tenant_claim: str = ""
    """Without it everybody is of the one `tenant`."""
    tenant: Annotated[str, Meta(max_length=MAX_NAME)] = ""
    skew: Annotated[float, Meta(ge=0.0, le=MAX_SKEW)] = 60.0
    """Seconds that the issuer's clock and ours may differ."""


class SignedTokens:
    """Checks tokens against the issuer's `keys`. `wall` gives seconds since the epoch."""

    def __init__(self, settings: JwtSettings, keys: SigningKeys, wall: Callable[[], float]) -> None:
        self._settings: Final = settings
        self._keys: Final = keys
        self._wall: Final = wall
        self._genuine: LRUCache[bytes, dict[str, Any]] = LRUCache(REMEMBERED)

    def check(self, token: str) -> Checked:
        """Whose `token` is. KeysWanted if it names a key that may be new."""
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        claims = self._genuine.get(digest)
        if claims is None:
            verified = self._verify(token)
            if not isinstance(verified, dict):
                return verified
            claims = self._genuine[digest] = verified
        return self._in_time(claims) or self._identity(claims)

    def forget(self) -> None:
        """The keys have changed: verify again what was found genuine."""
        self._genuine.clear()

    @property
    def skew(self) -> float:
        """Seconds that the clocks may differ."""
        return self._settings.skew

    def knows(self, credential: str) -> bool:
        """Whether the key that signed it is still the issuer's."""
        return credential.startswith(_CREDENTIAL) and self._keys.has(credential.removeprefix(_CREDENTIAL))

    def _verify(self, token: str) -> dict[str, Any] | Refused | KeysWanted:
        settings = self._settings
        try:
            header = jwt.get_unverified_header(token)
        except _MALFORMED:
            return Refused("The token is not a well-formed JWT.")
        algorithm = header.get("alg")
        if algorithm not in settings.algorithms:
            return Refused("The token is signed with an algorithm that is not allowed here.")
        kid = header.get("kid")
        key = self._keys.find(kid, algorithm)
        if key is None:
            return KeysWanted() if self._keys.may_ask() else Refused("The token's signing key is not the issuer's.")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=settings.algorithms,
                audience=settings.audience,
                issuer=settings.issuer,
                options={
                    "require": ["exp", "iss", "aud"],
                    "verify_exp": False,  # by `_in_time`, with our own clock
                    "verify_nbf": False,
                    "verify_iat": False,
                    "verify_sub": False,
                },
            )
        except jwt.InvalidAudienceError:
            return Refused("The token is for another audience.")
        except jwt.InvalidIssuerError:
            return Refused("The token is from another issuer.")
        except jwt.MissingRequiredClaimError as error:
            return Refused(f"The token lacks the claim {error.claim!r}.")
        except _MALFORMED:
            return Refused("The token's signature is not genuine.")
        return {**claims, _KID: key.key_id or ""}

    def _in_time(self, claims: dict[str, Any]) -> Refused | None:
        now, skew = self._wall(), self._settings.skew
        expires, begins = claims["exp"], claims.get("nbf", 0)
        if not _is_time(expires) or not _is_time(begins):
            return Refused("The token's times are not numbers.")
        if now >= expires + skew:
            return Refused("The token has expired: get a new one.")
        if now < begins - skew:
            return Refused("The token is not valid yet.")
        return None

    def _identity(self, claims: dict[str, Any]) -> Identity | Refused:
        settings = self._settings
        user: Any = claims.get(settings.user_claim)
        if not _is_name(user):
            return Refused(f"The token's claim {settings.user_claim!r} does not name a user.")
        tenant: Any = settings.tenant
        if settings.tenant_claim:
            tenant = claims.get(settings.tenant_claim)
            if not _is_name(tenant):
                return Refused(f"The token's claim {settings.tenant_claim!r} does not name a tenant.")
        return Identity(tenant, user, _CREDENTIAL + claims[_KID], float(claims["exp"]))


_MALFORMED: Final = (PyJWTError, ValueError, RecursionError)
"""What PyJWT raises, and what comes through it from the decoders under it: no UTF-8, or JSON nested too deep."""
_CREDENTIAL: Final = "jwt:"
_END_OF_TIME: Final = 1e15
"""Seconds since the epoch; JSON's whole numbers have no bound, and floats do. Not a number is not below it either."""
_KID: Final = "\0kid"
"""No claim's name."""


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _END_OF_TIME


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_NAME and clean(value) == value
