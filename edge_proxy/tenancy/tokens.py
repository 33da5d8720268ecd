"""Tokens that the proxy gives out: how they are made, and what is kept of them; pure.

Only the SHA-256 of a token is kept. That is enough here, where for a password it would not be: a token is 256 random
bits, so nobody can try them out, slow hashing would protect nothing, and a proxy that restarts has to check ten
thousand of them at once. A copy of the store lets nobody in. The hash is looked up in a dictionary: how long that takes
depends on the hash's bits, which nobody can steer towards a stored one.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from edge_proxy.tenancy.identity import MISSING_TOKEN, UNKNOWN_TOKEN, Checked, Identity, Refused
from wire_protocol.frames import MAX_NAME

TOKEN_PREFIX: Final = "ft_"
"""Of every token, so that secret scanners can find one that was committed."""
TOKEN_BYTES: Final = 32
"""Random ones: out of reach of guessing, which is what makes a plain hash enough."""
ID_BYTES: Final = 5
"""Of a token's name, which is shown in lists and given to `revoke`."""

Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]


class TokenRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a token. Times are whole seconds since the epoch; `expires` None is never."""

    id: str
    hash: str
    """SHA-256 of the token, in hex."""
    tenant: Name
    user: Annotated[str, Meta(max_length=MAX_NAME)] = ""
    name: Annotated[str, Meta(max_length=MAX_NAME)] = ""
    """For people: what it is for."""
    created: int = 0
    expires: int | None = None
    revoked: int | None = None
    """When; a revoked token stays in the list, so that it can be seen that it was."""

    def usable(self, wall: float) -> bool:
        """Whether it lets somebody in at `wall`."""
        return self.revoked is None and (self.expires is None or wall < self.expires)


def hash_of(token: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def new_token(tenant: str, user: str, name: str, created: int, expires: int | None) -> tuple[str, TokenRecord]:
    """A fresh token and its record; the token itself is to be shown once and kept nowhere."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    record = TokenRecord(
        id=secrets.token_hex(ID_BYTES),
        hash=hash_of(token),
        tenant=tenant,
        user=user,
        name=name,
        created=created,
        expires=expires,
    )
    return token, record


class KnownTokens:
    """The records of a store, for looking tokens up in one step."""

    def __init__(self, records: Iterable[TokenRecord] = ()) -> None:
        self._by_hash: Final = {record.hash: record for record in records}
        self._by_credential: Final = {_credential(record): record for record in self._by_hash.values()}

    def check(self, token: str, wall: float) -> Checked:
        """Whose `token` is."""
        if not token:
            return MISSING_TOKEN
        record = self._by_hash.get(hash_of(token))
        if record is None:
            return UNKNOWN_TOKEN
        if record.revoked is not None:
            return Refused("The token was revoked: ask for another one.")
        if not record.usable(wall):
            return Refused("The token has expired: ask for another one.")
        return Identity(record.tenant, record.user, _credential(record), record.expires)

    def knows(self, credential: str) -> bool:
        """Whether this credential's token was not revoked."""
        record = self._by_credential.get(credential)
        return record is not None and record.revoked is None

    def __len__(self) -> int:
        return len(self._by_hash)


def _credential(record: TokenRecord) -> str:
    return f"token:{record.id}"


def revoked(record: TokenRecord, wall: float) -> TokenRecord:
    """The record once it is revoked; one revoked already keeps its time."""
    return record if record.revoked is not None else msgspec.structs.replace(record, revoked=int(wall))
