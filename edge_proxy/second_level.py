"""The cache that the proxies of a region share, in Redis: beside the path of a request, never on it.

A look-up runs while the request goes its usual way; an answer that comes before the worker's first text is given
instead. Everything has a timeout and a breaker, and what is under way is bounded: a Redis that is slow, full or gone
costs nothing but hits.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from edge_proxy.breaker import Breaker
from edge_proxy.metrics import Metrics
from edge_proxy.requests import Answer, Ask
from edge_proxy.sealing import Sealer

TIMEOUT_SECONDS: Final = 0.05
"""A hit that comes later than this is no quicker than a worker."""
MAX_UNDER_WAY: Final = 256
"""Look-ups and writes at once; beyond it a request goes without."""
MAX_CONNECTIONS: Final = 16
MAX_VALUE_BYTES: Final = 65_536
"""Larger answers are not worth a network."""

logger = logging.getLogger("foretype.edge.redis")


class RedisLevel:
    """`url` as redis-py takes it; answers live there for `seconds`. Create it inside the loop it runs in."""

    def __init__(self, url: str, sealer: Sealer, seconds: float, clock: Callable[[], float], metrics: Metrics) -> None:
        self._sealer: Final = sealer
        self._expire_ms: Final = max(1, round(seconds * 1_000))
        self._breaker: Final = Breaker(clock)
        self._outcomes: Final = metrics.second_level
        self._tasks: set[asyncio.Task[None]] = set()
        self._redis: Final = Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            max_connections=MAX_CONNECTIONS,
        )

    def look_up(self, base: bytes, ask: Ask, found: Callable[[Answer], None]) -> None:
        """Call `found` with the exact answer to `ask` in some later turn, if there is one soon enough."""
        self._begin(self._look_up(base, ask, found))

    def keep(self, base: bytes, ask: Ask, answer: Answer) -> None:
        """Store the answer to `ask` for all proxies."""
        self._begin(self._keep(base, ask, answer))

    async def close(self) -> None:
        """Drop what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._redis.aclose()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        if len(self._tasks) >= MAX_UNDER_WAY or not self._breaker.usable():
            work.close()
            self._outcomes.labels("skipped").inc()
            return
        self._breaker.used()
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await work
        except (RedisError, OSError, TimeoutError) as error:
            if not self._breaker.open:
                logger.warning("Redis does not answer well (%s); going on without", type(error).__name__)
            self._breaker.failed()
            self._outcomes.labels("failed").inc()
        else:
            self._breaker.succeeded()

    async def _look_up(self, base: bytes, ask: Ask, found: Callable[[Answer], None]) -> None:
        name = self._sealer.name(base, ask)
        value = await self._redis.get(name)
        answer = self._sealer.open(name, value, ask) if isinstance(value, bytes) else None
        self._outcomes.labels("miss" if answer is None else "hit").inc()
        if answer is not None:
            found(answer)

    async def _keep(self, base: bytes, ask: Ask, answer: Answer) -> None:
        name = self._sealer.name(base, ask)
        value = self._sealer.seal(name, answer)
        if len(value) <= MAX_VALUE_BYTES:
            await self._redis.set(name, value, px=self._expire_ms)
            self._outcomes.labels("kept").inc()
