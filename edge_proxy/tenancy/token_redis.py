"""Records of tokens in Redis: one hash of id to JSON, and a number that grows with every change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from redis import Redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.exceptions import RedisError
from redis.retry import Retry

from edge_proxy.tenancy.token_store import StoreError
from edge_proxy.tenancy.tokens import TokenRecord

RECORDS: Final = "foretype:tokens"
VERSION: Final = "foretype:tokens:version"
TIMEOUT_SECONDS: Final = 1.0
"""Asked beside the path of requests; a revocation has five seconds from end to end."""


class TokenRedis:
    """`url` as redis-py takes it."""

    def __init__(self, url: str) -> None:
        """Does not connect yet. Raises ValueError for a URL that redis-py does not take."""
        parts = urlsplit(url)
        self.where: Final = f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
        self._redis: Final[Redis] = Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )

    def version(self) -> object:
        """Of the records. Raises StoreError."""
        return self._asked(lambda: self._redis.get(VERSION))

    def read(self) -> dict[str, TokenRecord]:
        """All records by id. Raises StoreError."""
        values = self._asked(lambda: self._redis.hvals(RECORDS))
        return self._decoded(values)

    def change(self, edit: Callable[[dict[str, TokenRecord]], None]) -> None:
        """Apply `edit`, again if somebody else changed the records meanwhile. Raises StoreError."""

        def apply(pipe: Pipeline) -> None:
            before = self._decoded(pipe.hvals(RECORDS))
            after = dict(before)
            edit(after)
            pipe.multi()
            for id, record in after.items():
                if before.get(id) != record:
                    pipe.hset(RECORDS, id, msgspec.json.encode(record))
            for id in before.keys() - after.keys():
                pipe.hdel(RECORDS, id)
            pipe.incr(VERSION)

        self._asked(lambda: self._redis.transaction(apply, RECORDS))

    def _asked(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except (RedisError, OSError) as error:
            raise StoreError(f"Redis at {self.where} does not answer ({type(error).__name__}).") from None

    def _decoded(self, values: Any) -> dict[str, TokenRecord]:
        try:
            records = [msgspec.json.decode(value, type=TokenRecord) for value in values]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StoreError(f"{RECORDS} in Redis at {self.where} has something else in it: {error}.") from None
        return {record.id: record for record in records}
