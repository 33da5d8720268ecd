"""The shared cache against a real redis-server: hits, secrecy, and that trouble costs nothing but hits."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from edge_proxy.answer_cache import AnswerCache
from edge_proxy.breaker import FAILURES, Breaker
from edge_proxy.cache_keys import base_key
from edge_proxy.dispatch import Dispatcher
from edge_proxy.metrics import Metrics
from edge_proxy.prediction import Predictor
from edge_proxy.requests import Answer, Ask
from edge_proxy.scheduler import Scheduler
from edge_proxy.sealing import Sealer
from edge_proxy.second_level import MAX_UNDER_WAY, TIMEOUT_SECONDS, RedisLevel
from edge_proxy.workers import Worker
from wire_protocol.frames import Cancel, Context, Done, Submit, TokenBatch

PATIENCE = 10.0
SECRET = b"a secret of the operator"
ASK = Ask(session=7, id=1, tenant="t", doc="d", context=Context(before="def f():\n", typed="re", path="a.py"))
ANSWER = Answer(session=1, typed="re", tail="", text="turn 12345", tokens=3, reason="stop", model="m")

Make = Callable[..., RedisLevel]


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - a counter is looked at
            await asyncio.sleep(0.005)


class Level:
    def __init__(self, url: str, secret: bytes, seconds: float) -> None:
        self.metrics = Metrics()
        self.level = RedisLevel(url, Sealer(secret), seconds, time.monotonic, self.metrics)
        self.found: list[Answer] = []

    def count(self, outcome: str) -> float:
        return self.metrics.second_level.labels(outcome).value

    async def keep(self, ask: Ask = ASK) -> None:
        before = self.count("kept")
        self.level.keep(base_key(ask), ask, ANSWER)
        await until(lambda: self.count("kept") > before)

    async def look_up(self, ask: Ask = ASK) -> Answer | None:
        outcomes = ("hit", "miss", "failed", "skipped")
        before = sum(map(self.count, outcomes))
        self.level.look_up(base_key(ask), ask, self.found.append)
        await until(lambda: sum(map(self.count, outcomes)) > before)
        return self.found.pop() if self.found else None


@pytest.fixture
async def make(redis_server: Any) -> AsyncIterator[Any]:
    made: list[Level] = []

    def level(secret: bytes = SECRET, seconds: float = 60.0) -> Level:
        made.append(Level(redis_server.url, secret, seconds))
        return made[-1]

    yield level
    for one in made:
        await one.level.close()


async def test_one_proxys_answer_is_anothers_hit(make: Any) -> None:
    one, other = make(), make()
    await one.keep()
    answer = await other.look_up()
    assert answer is not None
    assert (answer.text, answer.reason, answer.model, answer.session) == ("turn 12345", "stop", "m", 7)


async def test_another_context_is_a_miss(make: Any) -> None:
    level = make()
    await level.keep()
    other = Ask(session=7, id=1, tenant="u", doc="d", context=ASK.context)
    assert await level.look_up(other) is None


async def test_redis_sees_neither_code_nor_tenant(make: Any, redis_server: Any) -> None:
    await make().keep()
    redis = Redis.from_url(redis_server.url)
    (name,) = await redis.keys("*")
    raw = name + await redis.get(name)
    await redis.aclose()
    for secret in (b"turn", b"def f", b"a.py", b"12345"):
        assert secret not in raw


async def test_another_secret_finds_nothing(make: Any) -> None:
    await make().keep()
    assert await make(secret=b"quite another secret").look_up() is None


async def test_a_forged_or_moved_value_does_not_open(make: Any, redis_server: Any) -> None:
    level = make()
    await level.keep()
    redis = Redis.from_url(redis_server.url)
    (name,) = await redis.keys("*")
    value = await redis.get(name)
    other = Ask(session=7, id=1, tenant="u", doc="d", context=ASK.context)
    await redis.set(Sealer(SECRET).name(base_key(other), other), value)
    await redis.set(name, value[:-1] + bytes([value[-1] ^ 1]))
    await redis.aclose()
    assert await level.look_up() is None
    assert await level.look_up(other) is None


async def test_answers_expire(make: Any) -> None:
    level = make(seconds=0.05)
    await level.keep()
    await asyncio.sleep(0.1)
    assert await level.look_up() is None


async def test_a_redis_that_hangs_costs_one_timeout_and_then_nothing(make: Any, redis_server: Any) -> None:
    level = make()
    await level.keep()
    redis_server.process.send_signal(signal.SIGSTOP)
    try:
        begin = time.monotonic()
        for _ in range(FAILURES):
            assert await level.look_up() is None
        assert time.monotonic() - begin < FAILURES * (TIMEOUT_SECONDS + 0.25)
        assert await level.look_up() is None
        assert level.count("skipped") == 1
    finally:
        redis_server.process.send_signal(signal.SIGCONT)


async def test_a_redis_that_is_gone_costs_only_hits_and_is_found_again(make: Any, redis_server: Any) -> None:
    level = make()
    await level.keep()
    redis_server.stop()
    for _ in range(FAILURES):
        assert await level.look_up() is None
    await redis_server.start()
    async with asyncio.timeout(PATIENCE):
        while level.count("miss") == 0:
            assert await level.look_up() is None
            await asyncio.sleep(0.05)
    await level.keep()
    assert await level.look_up() is not None


async def test_a_full_redis_takes_no_more_and_harms_nobody(make: Any, redis_server: Any) -> None:
    redis = Redis.from_url(redis_server.url)
    await redis.config_set("maxmemory", "1")
    await redis.config_set("maxmemory-policy", "noeviction")
    await redis.aclose()
    level = make()
    level.level.keep(base_key(ASK), ASK, ANSWER)
    await until(lambda: level.count("failed"))
    assert await level.look_up() is None


async def test_what_is_under_way_is_bounded(make: Any, redis_server: Any) -> None:
    level = make()
    redis_server.process.send_signal(signal.SIGSTOP)
    try:
        for _ in range(MAX_UNDER_WAY + 10):
            level.level.look_up(base_key(ASK), ASK, level.found.append)
        assert level.count("skipped") == 10
    finally:
        redis_server.process.send_signal(signal.SIGCONT)


async def test_a_proxy_answers_from_what_another_one_kept(redis_server: Any) -> None:
    """The dispatcher's side: the look-up overtakes a worker that has said nothing."""

    class FakeSink:
        def __init__(self) -> None:
            self.texts: list[str] = []
            self.ends: list[Done] = []

        def text(self, id: int, offset: int, text: str, tokens: int, *, now: bool) -> None:
            self.texts.append(text)

        def done(self, done: Done) -> None:
            self.ends.append(done)

    loop = asyncio.get_running_loop()
    levels, sinks, workers, edges = [], [], [], []
    for _ in range(2):
        level = Level(redis_server.url, SECRET, 60.0)
        scheduler = Scheduler(time.monotonic, Predictor(), cache=AnswerCache(time.monotonic))
        edge = Dispatcher(time.monotonic, loop.call_later, scheduler, level.metrics, shared=level.level)
        worker, sink = Worker("w", lambda: None, Breaker(time.monotonic)), FakeSink()
        edge.add(worker)
        edge.connected(worker, ())
        edge.credit(worker, 1)
        edge.open(7, sink)
        for many, one in ((levels, level), (sinks, sink), (workers, worker), (edges, edge)):
            many.append(one)
    edges[0].complete(ASK, ())
    edges[0].tokens(workers[0], [TokenBatch(id=1, offset=0, text="turn x", tokens=2)])
    edges[0].done(workers[0], Done(id=1, reason="stop"))
    await until(lambda: levels[0].count("kept"))
    edges[1].complete(ASK, ())
    assert [type(frame) for frame in workers[1].take_frames()] == [Submit]
    await until(lambda: sinks[1].ends)
    assert (sinks[1].texts, sinks[1].ends[0].source) == (["turn x"], "cache")
    assert workers[1].take_frames() == [Cancel(ids=[1])]
    for level in levels:
        await level.level.close()
