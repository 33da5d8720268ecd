"""Who may use the proxy: tokens from a file, tokens given out, and tokens an issuer signed, behind one question."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from secrets import token_bytes
from time import time
from typing import Final

from edge_proxy.errors import StartError
from edge_proxy.tenancy.identity import (
    MISSING_TOKEN,
    UNKNOWN_TOKEN,
    Authenticator,
    Checked,
    Identity,
    KeysWanted,
    Refused,
)
from edge_proxy.tenancy.issuer import Issuer
from edge_proxy.tenancy.signed_tokens import SignedTokens
from edge_proxy.tenancy.tokens import KnownTokens
from wire_protocol.frames import MAX_NAME, MAX_TOKEN_CHARS

__all__ = ["Authenticator", "Gatekeeper", "Identity", "Refused", "TokenList", "admitted"]

_KEY_BYTES: Final = 32
MIN_SECRET_BYTES: Final = 16
"""What a person may choose at worst; it is hashed to a key of full length."""
NO_KEYS: Final = Refused("The keys of the token's issuer could not be fetched: try again later.")


async def admitted(authenticator: Authenticator, token: str) -> Identity | Refused:
    """Whose `token` is, after fetching its issuer's keys if need be."""
    checked = authenticator.check(token)
    if isinstance(checked, KeysWanted):
        await authenticator.fetch_keys()
        checked = authenticator.check(token)
    return NO_KEYS if isinstance(checked, KeysWanted) else checked


class TokenList:
    """Accepts the tokens it was given. Keeps their keyed hashes only; the key lives as long as the process.

    A person may have chosen these tokens, so the key makes a copy of the memory's hashes worthless elsewhere, and the
    time a look-up takes tells nothing about them.
    """

    def __init__(self, tokens: Iterable[tuple[str, str]], key: bytes | None = None) -> None:
        """`tokens`: pairs of tenant name and token. `key` is that of an earlier list, to compare with it."""
        self.key: Final = token_bytes(_KEY_BYTES) if key is None else key
        self._identities: Final[dict[bytes, Identity]] = {}
        for tenant, token in tokens:
            hashed = self._hash(token)
            self._identities[hashed] = Identity(tenant, credential=_LISTED + hashed.hex())
        self._credentials: Final = {identity.credential for identity in self._identities.values()}

    def _hash(self, token: str) -> bytes:
        return blake2b(token.encode("utf-8", "surrogatepass"), key=self.key).digest()

    def check(self, token: str) -> Checked:
        """Whose `token` is; one step, however many there are."""
        found = self._identities.get(self._hash(token))
        if found is not None:
            return found
        return UNKNOWN_TOKEN if token else MISSING_TOKEN

    async def fetch_keys(self) -> None:
        """There are none."""

    def knows(self, credential: str) -> bool:
        """Whether the list still has this token."""
        return credential in self._credentials

    def skew(self, credential: str) -> float:
        """No token has an end."""
        return 0.0


class Gatekeeper:
    """All ways in that the settings allow. What it knows is exchanged while it is used (`watch`)."""

    def __init__(
        self,
        listed: TokenList | None = None,
        given_out: KnownTokens | None = None,
        signed: tuple[SignedTokens, Issuer] | None = None,
        *,
        anyone: bool = False,
    ) -> None:
        """`listed`: `token_file`; `given_out`: `foretype-proxy tokens`; `signed`: an issuer's.

        `anyone`: no token is asked for, on loopback or for who said `--insecure`.
        """
        self.listed = listed
        self.given_out = given_out
        self.signed = signed
        self._anyone: Final = anyone

    def check(self, token: str) -> Checked:
        """Whose `token` is: a token is looked for where its form belongs, then in the file."""
        if self._anyone:
            return Identity("")
        checked: Checked = UNKNOWN_TOKEN if token else MISSING_TOKEN
        if self.signed is not None and token.count(".") == _JWT_DOTS:
            checked = self.signed[0].check(token)
        elif self.given_out is not None:
            checked = self.given_out.check(token, time())
        if self.listed is not None and not isinstance(checked, Identity):
            listed = self.listed.check(token)
            return listed if isinstance(listed, Identity) else checked
        return checked

    async def fetch_keys(self) -> None:
        """Of the issuer."""
        if self.signed is not None:
            await self.signed[1].fetch()

    def knows(self, credential: str) -> bool:
        """Whether any of the ways in still knows the token."""
        if self._anyone:
            return not credential
        ways = (self.listed, self.given_out, self.signed and self.signed[0])
        return any(way is not None and way.knows(credential) for way in ways)

    def skew(self, credential: str) -> float:
        """Seconds that a token is honoured after its end: the clocks of an issuer's machine and ours may differ."""
        signed = self.signed
        return signed[0].skew if signed is not None and signed[0].knows(credential) else 0.0


_LISTED: Final = "listed:"
_JWT_DOTS: Final = 2


def read_text(path: Path, purpose: str) -> str:
    """The content of a file that `purpose` names for messages. Raises StartError."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise StartError(
            f"The {purpose} {path} cannot be read: {reason}. Check the path and its permissions."
        ) from None
    except UnicodeDecodeError:
        raise StartError(f"The {purpose} {path} is not UTF-8 text: it should have one token per line.") from None


def parse_tokens(text: str, path: Path, *, may_be_empty: bool = False) -> list[tuple[str, str]]:
    """Pairs of name and token: a token or `name:token` per line; blank lines and those starting with # are skipped.

    A token without a name is its own tenant, named after its line. Raises StartError; messages never show a token.
    """
    tokens = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, colon, token = line.partition(":")
        name, token = (name.strip(), token.strip()) if colon else (f"line-{number}", line)
        if not token or not name:
            raise StartError(f"{path}, line {number}: expected a token or name:token; one of the two is empty.")
        if len(token) > MAX_TOKEN_CHARS or len(name) > MAX_NAME:
            raise StartError(
                f"{path}, line {number}: a token has at most {MAX_TOKEN_CHARS} characters, a name {MAX_NAME}."
            )
        tokens.append((name, token))
    if not tokens and not may_be_empty:
        raise StartError(f"The token file {path} has no tokens: write one per line, or start without it on loopback.")
    return tokens


def load_secret(path: Path) -> bytes:
    """The bytes that encrypt the shared cache. Raises StartError."""
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise StartError(f"The file of redis.key_file {path} cannot be read: {error.strerror}.") from None
    if len(secret) < MIN_SECRET_BYTES:
        raise StartError(f"The secret in {path} is shorter than {MIN_SECRET_BYTES} bytes: make one with openssl rand.")
    return secret


def load_worker_token(path: Path) -> str:
    """The token this proxy shows to workers: the file's only line. Raises StartError."""
    token = read_text(path, "worker token file").strip()
    if not token or len(token.split()) > 1 or len(token) > MAX_TOKEN_CHARS:
        raise StartError(
            f"The worker token file {path} should have exactly one token of at most {MAX_TOKEN_CHARS} characters."
        )
    return token
