"""Who may see what all tenants do: the status and, where a token is set for it, the metrics; pure."""

from __future__ import annotations

import hmac
from hashlib import blake2b
from secrets import token_bytes
from typing import Final

from edge_proxy.errors import StartError
from wire_protocol.frames import MAX_TOKEN_CHARS

NEEDS_TOKEN: Final = "This needs the operators' token (header Authorization: Bearer TOKEN)."
NOT_SET_UP: Final = "This proxy lets only holders of tokens in, and no operator_token_file says who may see its status."


class Operators:
    """`token` is what they show, "" for none; `everyone`: without one, whether anybody may see the status."""

    def __init__(self, token: str, *, everyone: bool) -> None:
        self._key: Final = token_bytes(32)
        self._hash: Final = self._hashed(token) if token else None
        self._everyone: Final = everyone

    @property
    def has_token(self) -> bool:
        """Whether operators are told from others."""
        return self._hash is not None

    @property
    def names_tenants(self) -> bool:
        """Whether series may be told apart by tenant: not where anybody may read them and tenants have tokens."""
        return self.has_token or self._everyone

    def refusal_of_status(self, authorization: str) -> str | None:
        """Why who sends this header may not see the status; None if they may."""
        if self.has_token:
            return None if self._shown(authorization) else NEEDS_TOKEN
        return None if self._everyone else NOT_SET_UP

    def refusal_of_metrics(self, authorization: str) -> str | None:
        """Why who sends this header may not read the metrics; None if they may."""
        return NEEDS_TOKEN if self.has_token and not self._shown(authorization) else None

    def _shown(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        if self._hash is None or scheme.lower() != "bearer" or len(token) > MAX_TOKEN_CHARS:
            return False
        return hmac.compare_digest(self._hash, self._hashed(token.strip()))

    def _hashed(self, token: str) -> bytes:
        return blake2b(token.encode("utf-8", "surrogatepass"), key=self._key).digest()


def check_token(text: str, where: object) -> str:
    """The one token in a file's `text`. Raises StartError, which never shows it."""
    token = text.strip()
    if not token or len(token.split()) > 1 or len(token) > MAX_TOKEN_CHARS:
        raise StartError(f"The file {where} should have exactly one token of at most {MAX_TOKEN_CHARS} characters.")
    return token
