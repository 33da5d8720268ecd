"""Tokens and counts in a real Redis: shared by proxies, never losing a change, and gone without harm."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from edge_proxy.auth import Gatekeeper
from edge_proxy.tenancy.accounts import Row
from edge_proxy.tenancy.identity import Identity
from edge_proxy.tenancy.quotas import Total, period_at
from edge_proxy.tenancy.token_redis import TokenRedis
from edge_proxy.tenancy.token_store import StoreError
from edge_proxy.tenancy.token_watch import TokenWatch
from edge_proxy.tenancy.tokens import TokenRecord, new_token, revoked
from edge_proxy.tenancy.usage_redis import UsageRedis
from edge_proxy.tenancy.usage_store import UsageError

ACME, ADA = Row("acme", None), Row("acme", "ada")
TODAY, TOMORROW = period_at(864_000.0), period_at(950_400.0)


async def test_a_token_made_by_one_is_known_to_all_until_it_is_revoked(redis_server: Any) -> None:
    gatekeeper = Gatekeeper()
    watch = TokenWatch(gatekeeper, None, TokenRedis(redis_server.url))
    operator = TokenRedis(redis_server.url)
    token, record = new_token("acme", "ada", "", 0, None)
    operator.change(lambda records: records.update({record.id: record}))
    assert [await watch.look() for _ in range(2)] == [True, False]
    assert isinstance(gatekeeper.check(token), Identity)
    operator.change(lambda records: records.update({record.id: revoked(record, 1.0)}))
    await watch.look()
    assert not isinstance(gatekeeper.check(token), Identity)


async def test_an_outage_neither_lets_in_nor_puts_out(redis_server: Any) -> None:
    gatekeeper = Gatekeeper()
    store = TokenRedis(redis_server.url)
    token, record = new_token("acme", "ada", "", 0, None)
    store.change(lambda records: records.update({record.id: record}))
    watch = TokenWatch(gatekeeper, None, store)
    redis_server.stop()
    assert not await watch.look()
    assert isinstance(gatekeeper.check(token), Identity)
    with pytest.raises(StoreError, match="does not answer"):
        store.read()


async def test_writers_at_the_same_time_lose_nothing(redis_server: Any) -> None:
    def write(name: str) -> None:
        store = TokenRedis(redis_server.url)
        for number in range(20):
            record = TokenRecord(id=f"{name}{number}", hash=f"{name}{number}", tenant="t")
            store.change(lambda records, record=record: records.update({record.id: record}))  # type: ignore[misc]

    writers = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        await asyncio.to_thread(writer.join)
    assert len(TokenRedis(redis_server.url).read()) == 60


async def test_something_else_under_our_names_is_a_sentence(redis_server: Any) -> None:
    store = TokenRedis(redis_server.url)
    store._redis.hset("foretype:tokens", "x", "rubbish")
    with pytest.raises(StoreError, match="something else"):
        store.read()


async def test_counts_of_all_proxies_add_up_by_day_and_month(redis_server: Any) -> None:
    one, other = UsageRedis(redis_server.url), UsageRedis(redis_server.url)
    one.exchange({ACME: 5, ADA: 5}, TODAY)
    assert other.exchange({ACME: 2}, TODAY) == {ACME: Total(7, 7)}
    assert other.exchange({ACME: 1}, TOMORROW) == {ACME: Total(1, 8)}
    assert one.totals(TODAY) == {ACME: Total(7, 8), ADA: Total(5, 5)}
    assert one._redis.ttl("foretype:usage:1970-01-11") > 0
    redis_server.stop()
    with pytest.raises(UsageError, match="Redis does not"):
        one.exchange({ACME: 1}, TODAY)
