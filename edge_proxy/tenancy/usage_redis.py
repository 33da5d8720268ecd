"""Spent tokens in Redis: a hash for each day and each month, which Redis forgets some time after its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from edge_proxy.tenancy.accounts import Row
from edge_proxy.tenancy.quotas import Period, Total
from edge_proxy.tenancy.usage_store import UsageError, field_of, rows

PREFIX: Final = "foretype:usage:"
DAY_KEPT: Final = 3 * 86_400
MONTH_KEPT: Final = 100 * 86_400
"""Seconds from the last change: time for who wants to read them after their end."""
TIMEOUT_SECONDS: Final = 2.0


class UsageRedis:
    """`url` as redis-py takes it."""

    def __init__(self, url: str) -> None:
        """Does not connect yet. Raises ValueError for a URL that redis-py does not take."""
        self._redis: Final[Redis] = Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )

    def totals(self, period: Period) -> dict[Row, Total]:
        """What is there. Raises UsageError."""
        try:
            found = [self._redis.hgetall(PREFIX + name) for name in (period.day, period.month)]
        except (RedisError, OSError) as error:
            raise UsageError(f"Redis does not give the counts of tokens ({type(error).__name__}).") from None
        today, this_month = (
            {field.decode() if isinstance(field, bytes) else field: int(count) for field, count in counts.items()}
            for counts in found
        )
        return rows(today, this_month)

    def exchange(self, spent: Mapping[Row, int], period: Period) -> dict[Row, Total]:
        """Add, and give the totals, in one transaction. Raises UsageError."""
        day, month = PREFIX + period.day, PREFIX + period.month
        pipe = self._redis.pipeline(transaction=True)
        for row, tokens in spent.items():
            pipe.hincrby(day, field_of(row), tokens)
            pipe.hincrby(month, field_of(row), tokens)
        pipe.expire(day, DAY_KEPT)
        pipe.expire(month, MONTH_KEPT)
        try:
            counts = pipe.execute()
        except (RedisError, OSError) as error:
            raise UsageError(f"Redis does not take the counts of tokens ({type(error).__name__}).") from None
        return {row: Total(counts[2 * index], counts[2 * index + 1]) for index, row in enumerate(spent)}
