"""What the local model reads while the person is idle."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from fake_peer import ask, collect, until
from test_failover_source import FakeSource

from lsp_server.sources import reading_ahead
from lsp_server.sources.base import Ended, ReadsAhead
from lsp_server.sources.effort import FRUGAL
from lsp_server.sources.failover import FailoverSource
from lsp_server.sources.reader import READING_IDS
from lsp_server.sources.reading_ahead import IDLE_S, MAX_WARM, ReadingAhead
from wire_protocol.frames import Context

HERE = Context(before="a = 1\n", after="b = 2\n", path="x.py")


class FakeClock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ahead(clock: FakeClock) -> ReadingAhead:
    return ReadingAhead(clock)


def test_what_was_noted_is_read_after_some_quiet_and_once(ahead: ReadingAhead, clock: FakeClock) -> None:
    ahead.note("doc", HERE)
    assert ahead.take() is None
    clock.now += IDLE_S
    assert ahead.take() == ("doc", HERE)
    ahead.note("doc", replace_typed("more"))
    assert ahead.due_in_s() is None


def replace_typed(typed: str) -> Context:
    return Context(before=HERE.before, typed=typed, after=HERE.after, path=HERE.path)


def test_other_surroundings_are_read_anew(ahead: ReadingAhead, clock: FakeClock) -> None:
    ahead.note("doc", HERE)
    clock.now += IDLE_S
    ahead.take()
    ahead.note("doc", Context(before="other\n"))
    assert ahead.due_in_s() == IDLE_S


def test_what_the_local_model_answered_needs_no_reading(ahead: ReadingAhead) -> None:
    request = replace(ask("x"), doc="doc")
    ahead.note("doc", request.context)
    ahead.answered(request)
    assert ahead.due_in_s() is None


def test_what_was_interrupted_closed_or_lost_with_its_worker_is_cold(ahead: ReadingAhead, clock: FakeClock) -> None:
    ahead.note("doc", HERE)
    clock.now += IDLE_S
    ahead.take()
    ahead.interrupted("doc")
    assert ahead.due_in_s() == 0.0
    ahead.take()
    ahead.cold()
    assert ahead.due_in_s() == 0.0
    ahead.forget("doc")
    assert ahead.due_in_s() is None


def test_only_so_many_documents_count_as_warm(ahead: ReadingAhead, clock: FakeClock) -> None:
    for number in range(MAX_WARM + 1):
        ahead.note(str(number), HERE)
        clock.now += IDLE_S
        ahead.take()
    ahead.note("0", HERE)
    assert ahead.due_in_s() == IDLE_S


def done(name: str = "local") -> Ended:
    return Ended("length", name)  # type: ignore[arg-type]  # a source's name


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_ahead, "IDLE_S", 0.0)


@pytest.mark.usefixtures("at_once")
async def test_an_opened_document_is_read_with_the_least_urgency_for_one_token() -> None:
    local = FakeSource("local", "x", done())
    source = FailoverSource(None, local)
    assert isinstance(source, ReadsAhead)
    source.warm("doc", HERE)
    await until(lambda: len(local.asked) == 1)
    (request,) = local.asked
    assert (request.doc, request.context, request.kind, request.max_tokens) == ("doc", HERE, "prefetch", 1)
    assert request.id >= READING_IDS
    await source.close()


@pytest.mark.usefixtures("at_once")
async def test_while_the_edge_answers_the_local_model_reads_the_same_place() -> None:
    edge, local = FakeSource("edge", "x", done("edge")), FakeSource("local", "y", done())
    source = FailoverSource(edge, local)
    request = ask()
    await collect(source.generate(request))
    await until(lambda: len(local.asked) == 1)
    assert local.asked[0].context == request.context
    await collect(source.generate(ask("typed on")))
    await asyncio.sleep(0)
    assert len(local.asked) == 1
    await source.close()


@pytest.mark.usefixtures("at_once")
async def test_a_request_ends_a_reading_that_runs() -> None:
    local = FakeSource("local")
    source = FailoverSource(None, local)
    source.warm("doc", HERE)
    await until(lambda: len(local.asked) == 1)
    answer = asyncio.create_task(collect(source.generate(ask())))
    await until(lambda: bool(local.cancelled))
    assert local.cancelled == [local.asked[0].id]
    answer.cancel()
    await source.close()


@pytest.mark.usefixtures("at_once")
async def test_on_battery_nothing_is_read_ahead() -> None:
    local = FakeSource("local", "x", done())
    local.effort = FRUGAL
    source = FailoverSource(None, local)
    source.warm("doc", HERE)
    for _ in range(10):
        await asyncio.sleep(0)
    assert local.asked == []
    await source.close()
