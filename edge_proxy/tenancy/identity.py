"""What a token says about who shows it; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a session or a request belongs to. `tenant` separates caches, weights and quotas; `user` is a person in it.

    `credential` names the token, and is no secret: what is cut when it is revoked. `expires`: seconds since the epoch.
    """

    tenant: str
    user: str = ""
    credential: str = ""
    expires: float | None = None

    def same_person(self, other: Identity) -> bool:
        """Whether both are the same user of the same tenant, whatever token says so."""
        return (self.tenant, self.user) == (other.tenant, other.user)


class Refused(NamedTuple):
    """A token that lets nobody in: why, as a sentence that does not show it."""

    message: str


class KeysWanted(NamedTuple):
    """Nobody can tell yet: the issuer's keys have to be fetched first (`Authenticator.fetch_keys`), then ask again."""


Checked = Identity | Refused | KeysWanted


class Authenticator(Protocol):
    """What a door asks about a token."""

    def check(self, token: str) -> Checked:
        """Whose `token` is; at once, without I/O."""

    async def fetch_keys(self) -> None:
        """What `KeysWanted` asks for; never raises, and ends within seconds."""

    def knows(self, credential: str) -> bool:
        """Whether the token that an `Identity` came from still lets somebody in, as far as is known now."""

    def skew(self, credential: str) -> float:
        """Seconds that it is honoured after its end."""


UNKNOWN_TOKEN = Refused("The token is not known here: check the setting edge.token.")
MISSING_TOKEN = Refused("The token is missing: check the setting edge.token.")
