"""Who may open a session: tokens from a file, of which only hashes stay in memory."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from secrets import token_bytes
from typing import Final, Protocol

from edge_proxy.errors import StartError
from wire_protocol.frames import MAX_NAME, MAX_TOKEN_CHARS

_KEY_BYTES: Final = 32
MIN_SECRET_BYTES: Final = 16
"""What a person may choose at worst; it is hashed to a key of full length."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a session belongs to; `tenant` separates KV caches and, later, quotas."""

    tenant: str


class Authenticator(Protocol):
    """What a session asks about a token."""

    def check(self, token: str) -> Identity | None:
        """Whose `token` is; None if it is nobody's."""


class AnyoneHere:
    """Accepts every token, also an empty one: for loopback, or for who said `--insecure`."""

    def check(self, token: str) -> Identity | None:
        """Everyone is the same, nameless tenant."""
        return Identity("")


class TokenList:
    """Accepts the tokens it was given. Keeps their keyed hashes only; the key lives as long as the process."""

    def __init__(self, tokens: Iterable[tuple[str, str]]) -> None:
        """`tokens`: pairs of tenant name and token."""
        self._key: Final = token_bytes(_KEY_BYTES)
        self._hashes: Final = [(self._hash(token), Identity(name)) for name, token in tokens]

    def _hash(self, token: str) -> bytes:
        return blake2b(token.encode("utf-8", "surrogatepass"), key=self._key).digest()

    def check(self, token: str) -> Identity | None:
        """Compares with every entry, each in constant time, so that time tells nothing about the tokens."""
        offered = self._hash(token)
        found: Identity | None = None
        for known, identity in self._hashes:
            if hmac.compare_digest(known, offered):
                found = identity
        return found


def _read(path: Path, purpose: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise StartError(
            f"The {purpose} {path} cannot be read: {reason}. Check the path and its permissions."
        ) from None
    except UnicodeDecodeError:
        raise StartError(f"The {purpose} {path} is not UTF-8 text: it should have one token per line.") from None


def parse_tokens(text: str, path: Path) -> list[tuple[str, str]]:
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
    if not tokens:
        raise StartError(f"The token file {path} has no tokens: write one per line, or start without it on loopback.")
    return tokens


def load_tokens(path: Path) -> TokenList:
    """The tokens that clients may use. Raises StartError."""
    return TokenList(parse_tokens(_read(path, "token file"), path))


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
    token = _read(path, "worker token file").strip()
    if not token or len(token.split()) > 1 or len(token) > MAX_TOKEN_CHARS:
        raise StartError(
            f"The worker token file {path} should have exactly one token of at most {MAX_TOKEN_CHARS} characters."
        )
    return token
