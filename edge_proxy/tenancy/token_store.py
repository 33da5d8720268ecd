"""Where the records of tokens lie: what a store can do, and which one a setting means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from edge_proxy.errors import StartError
from edge_proxy.tenancy.tokens import TokenRecord

REDIS_SCHEMES: Final = ("redis://", "rediss://", "unix://")
"""As redis-py takes them; anything else is a file's path."""


URL_FORM: Final = "write redis://[:PASSWORD@]HOST:PORT/DB, rediss://… or unix://PATH, with what is special as %XX"


class StoreError(Exception):
    """The store cannot be read or written: a sentence with what and where, and no secret."""


class TokenStore(Protocol):
    """Blocking, with timeouts of a few seconds; the proxy calls it in a thread."""

    @property
    def where(self) -> str:
        """For messages; without a password."""

    def version(self) -> object:
        """Cheap; differs once the records have changed. Raises StoreError."""

    def read(self) -> dict[str, TokenRecord]:
        """All records by id. Raises StoreError."""

    def change(self, edit: Callable[[dict[str, TokenRecord]], None]) -> None:
        """Apply `edit` to the records; nobody else's change is lost. Raises StoreError."""


def is_redis(where: str) -> bool:
    """Whether the setting names a Redis, not a file."""
    return where.startswith(REDIS_SCHEMES)


def open_store(where: str) -> TokenStore:
    """The store of the setting `tokens`: a file's path, or a Redis URL. Raises StartError."""
    if not is_redis(where):
        from edge_proxy.tenancy.token_file import TokenFile

        return TokenFile(Path(where).expanduser())
    try:
        from edge_proxy.tenancy.token_redis import TokenRedis
    except ImportError as error:
        raise StartError(f"Tokens in Redis need the package {error.name}: pip install 'foretype[redis]'.") from None
    try:
        return TokenRedis(where)
    except ValueError:  # whose text may have a part of the password in it
        raise StartError(f"The Redis URL of `tokens` is not usable: {URL_FORM}.") from None
