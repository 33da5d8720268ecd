"""Where the tokens that were spent are counted for good: over restarts, and over all proxies that share the place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from edge_proxy.errors import StartError
from edge_proxy.tenancy.accounts import Row
from edge_proxy.tenancy.quotas import Period, Total
from edge_proxy.tenancy.token_store import URL_FORM, is_redis


class UsageError(Exception):
    """The counts cannot be exchanged: a sentence with what and where."""


class UsageStore(Protocol):
    """Blocking, with timeouts of a few seconds; called in a thread, and never while a request waits for it."""

    def totals(self, period: Period) -> dict[Row, Total]:
        """Of all rows. Raises UsageError."""

    def exchange(self, spent: Mapping[Row, int], period: Period) -> dict[Row, Total]:
        """Add what was `spent` since the last call, and give the totals of the same rows. Raises UsageError."""


def field_of(row: Row) -> str:
    """How a row is named in a store: JSON, so that no two rows can look alike."""
    return msgspec.json.encode([row.tenant] if row.user is None else [row.tenant, row.user]).decode()


def rows(today: Mapping[str, int], this_month: Mapping[str, int]) -> dict[Row, Total]:
    """What a store has in it, by field; what is no row is passed over."""
    found = {}
    for field, month in this_month.items():
        try:
            tenant, *user = msgspec.json.decode(field, type=list[str])
        except (msgspec.DecodeError, ValueError):
            continue
        found[Row(tenant, user[0] if user else None)] = Total(today.get(field, 0), month)
    return found


def open_usage(where: str) -> UsageStore:
    """The store of the setting `usage`. Raises StartError."""
    if not is_redis(where):
        from edge_proxy.tenancy.usage_file import UsageFile

        return UsageFile(Path(where).expanduser())
    try:
        from edge_proxy.tenancy.usage_redis import UsageRedis
    except ImportError as error:
        raise StartError(f"Usage in Redis needs the package {error.name}: pip install 'foretype[redis]'.") from None
    try:
        return UsageRedis(where)
    except ValueError:  # whose text may have a part of the password in it
        raise StartError(f"The Redis URL of `usage` is not usable: {URL_FORM}.") from None
