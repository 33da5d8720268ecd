"""Edge and local model together: who answers, and that one answer never mixes two."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
from fake_peer import PATIENCE, ask, collect, until

from lsp_server.sources import failover_policy
from lsp_server.sources.base import (
    Ended,
    Piece,
    SourceName,
    SourceRequest,
    SourceState,
    SourceStatus,
    SourceUnavailableError,
)
from lsp_server.sources.effort import FULL
from lsp_server.sources.failover import NOTHING_CONFIGURED, FailoverSource
from lsp_server.sources.latency import LatencyWindow

Script = Piece | Ended | SourceUnavailableError


class FakeSource:
    """Answers each request with the events the test puts into `script` (by request) or `always`."""

    def __init__(self, name: SourceName, *always: str | Script) -> None:
        self.name: SourceName = name
        self.state: SourceState = "ready"
        self.heard_at: float | None = float("inf")
        self.first_token = LatencyWindow()
        self.effort = FULL
        self.always = [Piece(event, name) if isinstance(event, str) else event for event in always]
        self.asked: list[SourceRequest] = []
        self.cancelled: list[int] = []
        self.queue: asyncio.Queue[Script] = asyncio.Queue()
        self.closed = False

    async def start(self) -> None:
        self.started = True

    async def close(self) -> None:
        self.closed = True

    def forget(self, doc: str) -> None:
        self.forgotten = doc

    def wake(self) -> None:
        self.woken = True

    def statuses(self) -> list[SourceStatus]:
        return [SourceStatus(self.name, self.state)]

    async def generate(self, request: SourceRequest) -> AsyncGenerator[Piece | Ended, None]:
        self.asked.append(request)
        events = list(self.always)
        finished = False
        try:
            while True:
                event = events.pop(0) if events else await self.queue.get()
                if isinstance(event, SourceUnavailableError):
                    finished = True
                    raise event
                finished = isinstance(event, Ended)
                yield event
                if finished:
                    return
        finally:
            if not finished:
                self.cancelled.append(request.id)


def stop(name: SourceName) -> Ended:
    return Ended("stop", name)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hedge after a moment instead of 300 ms."""
    for name in ("HEDGE_DEFAULT_S", "HEDGE_MIN_S", "HEDGE_MAX_S"):
        monkeypatch.setattr(failover_policy, name, 0.005)


async def test_the_edge_answers_and_the_local_model_is_left_alone() -> None:
    edge, local = FakeSource("edge", "from edge", stop("edge")), FakeSource("local")
    assert await collect(FailoverSource(edge, local).generate(ask())) == ("from edge", stop("edge"))
    assert local.asked == []


@pytest.mark.parametrize(
    "failure",
    [Ended("shed", "edge"), Ended("error", "edge", message="oh"), SourceUnavailableError("gone")],
    ids=["shed", "error", "unavailable"],
)
async def test_the_local_model_answers_at_once_when_the_edge_fails(failure: Script) -> None:
    edge, local = FakeSource("edge", failure), FakeSource("local", "from local", stop("local"))
    assert await collect(FailoverSource(edge, local).generate(ask())) == ("from local", stop("local"))


async def test_a_disconnected_edge_is_not_even_asked() -> None:
    edge, local = FakeSource("edge"), FakeSource("local", "from local", stop("local"))
    edge.state = "failed"
    assert (await collect(FailoverSource(edge, local).generate(ask())))[0] == "from local"
    assert edge.asked == []
    assert edge.woken


async def test_an_edge_that_honestly_has_nothing_is_believed() -> None:
    edge, local = FakeSource("edge", stop("edge")), FakeSource("local", "noise", stop("local"))
    assert await collect(FailoverSource(edge, local).generate(ask())) == ("", stop("edge"))
    assert local.asked == []


@pytest.mark.usefixtures("quick")
async def test_a_late_edge_is_hedged_and_the_loser_is_cancelled() -> None:
    edge, local = FakeSource("edge"), FakeSource("local", "from local", stop("local"))
    request = ask()
    assert (await collect(FailoverSource(edge, local).generate(request)))[0] == "from local"
    await until(lambda: bool(edge.cancelled))
    assert (edge.cancelled, local.cancelled) == ([request.id], [])


@pytest.mark.usefixtures("quick")
async def test_the_edge_wins_a_hedged_race_if_its_text_comes_first() -> None:
    edge, local = FakeSource("edge"), FakeSource("local")
    answer = asyncio.create_task(collect(FailoverSource(edge, local).generate(ask())))
    await until(lambda: len(local.asked) == 1)
    for event in (Piece("a", "edge"), Piece("b", "edge"), stop("edge")):
        edge.queue.put_nowait(event)
    text, ended = await asyncio.wait_for(answer, PATIENCE)
    assert (text, ended.source) == ("ab", "edge")
    await until(lambda: len(local.cancelled) == 1)


async def test_texts_of_two_sources_never_mix() -> None:
    edge, local = FakeSource("edge", "half", Ended("error", "edge", message="lost")), FakeSource("local", "other")
    text, ended = await collect(FailoverSource(edge, local).generate(ask()))
    assert (text, ended.reason) == ("half", "error")
    assert local.asked == []


class FakeClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_a_frozen_edge_is_not_waited_for_once_it_was_silent() -> None:
    clock = FakeClock()
    edge, local = FakeSource("edge"), FakeSource("local", "x", stop("local"))
    edge.heard_at = 99.0
    source = FailoverSource(edge, local, clock=clock)
    first = asyncio.create_task(collect(source.generate(ask())))
    await until(lambda: len(edge.asked) == 1)
    first.cancel()
    clock.now += failover_policy.SILENCE_TO_OPEN_S
    assert (await collect(source.generate(ask())))[0] == "x"
    assert len(edge.asked) == 1
    assert source.statuses()[0].state == "failed"


async def test_an_edge_silent_since_an_earlier_request_is_not_waited_for_in_mid_race(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(failover_policy, "HEDGE_DEFAULT_S", 60.0)
    monkeypatch.setattr(failover_policy, "HEDGE_MAX_S", 60.0)
    monkeypatch.setattr(failover_policy, "SILENCE_TO_OPEN_S", 0.02)
    edge, local = FakeSource("edge"), FakeSource("local", "x", stop("local"))
    edge.heard_at = -1.0
    source = FailoverSource(edge, local)
    assert (await collect(source.generate(ask())))[0] == "x"
    assert len(edge.asked) == 1
    await source.close()


@pytest.mark.usefixtures("quick")
async def test_an_edge_that_times_out_again_and_again_is_not_asked_any_more() -> None:
    edge, local = FakeSource("edge"), FakeSource("local")
    source = FailoverSource(edge, local)
    waiting = [
        asyncio.create_task(collect(source.generate(ask(doc=str(doc)))))
        for doc in range(failover_policy.FAILURES_TO_OPEN)
    ]
    await until(lambda: source.statuses()[0].state == "failed")
    await until(lambda: len(local.asked) == len(waiting))
    for task in waiting:
        task.cancel()
    local.always = [Piece("x", "local"), stop("local")]
    before = len(edge.asked)
    assert (await collect(source.generate(ask())))[0] == "x"
    assert len(edge.asked) == before


async def test_a_shed_prefetch_is_not_asked_of_the_local_model_and_does_not_count_against_the_edge() -> None:
    edge, local = FakeSource("edge", Ended("shed", "edge")), FakeSource("local", "x", stop("local"))
    source = FailoverSource(edge, local)
    for _ in range(failover_policy.FAILURES_TO_OPEN):
        assert (await collect(source.generate(replace(ask(), kind="prefetch"))))[1].reason == "shed"
    assert local.asked == []
    assert source.statuses()[0].state == "ready"


async def test_both_failing_is_unavailable_with_both_reasons() -> None:
    edge = FakeSource("edge", SourceUnavailableError("edge gone"))
    local = FakeSource("local", SourceUnavailableError("no model"))
    with pytest.raises(SourceUnavailableError, match=r"edge gone.*no model"):
        await collect(FailoverSource(edge, local).generate(ask()))


async def test_a_shed_by_both_is_a_shed() -> None:
    edge, local = FakeSource("edge", Ended("shed", "edge")), FakeSource("local", Ended("shed", "local"))
    assert (await collect(FailoverSource(edge, local).generate(ask())))[1].reason == "shed"


async def test_while_both_start_whoever_is_there_first_answers() -> None:
    edge, local = FakeSource("edge"), FakeSource("local", "x", stop("local"))
    edge.state = local.state = "connecting"
    assert (await collect(FailoverSource(edge, local).generate(ask())))[1].source == "local"


async def test_closing_the_answer_cancels_whoever_runs() -> None:
    edge, local = FakeSource("edge", "a"), FakeSource("local")
    request = ask()
    answer = FailoverSource(edge, local).generate(request)
    await anext(answer)
    await answer.aclose()
    await until(lambda: bool(edge.cancelled))
    assert (edge.cancelled, local.cancelled) == ([request.id], [])


@pytest.mark.parametrize("name", ["edge", "local"])
async def test_one_source_alone_answers(name: SourceName) -> None:
    alone = FakeSource(name, "x", stop(name))
    source = FailoverSource(alone, None) if name == "edge" else FailoverSource(None, alone)
    assert await collect(source.generate(ask())) == ("x", stop(name))


async def test_with_nothing_configured_it_says_so() -> None:
    with pytest.raises(SourceUnavailableError, match=r"edge\.urls"):
        await collect(FailoverSource(None, None).generate(ask()))
    assert "local.enabled" in NOTHING_CONFIGURED


async def test_an_edge_treated_as_down_is_probed_and_used_again_when_it_answers() -> None:
    clock = FakeClock()
    edge, local = FakeSource("edge", Ended("error", "edge")), FakeSource("local", "x", stop("local"))
    source = FailoverSource(edge, local, clock=clock)
    for _ in range(failover_policy.FAILURES_TO_OPEN):
        await collect(source.generate(ask()))
    assert source.statuses()[0].state == "failed"
    edge.always = [Piece("back", "edge"), stop("edge")]
    asked = len(edge.asked)
    assert (await collect(source.generate(ask())))[0] == "x"
    assert len(edge.asked) == asked
    clock.now += failover_policy.COOLDOWN_S
    assert (await collect(source.generate(ask())))[0] == "x"
    await until(lambda: source.statuses()[0].state == "ready")
    assert (await collect(source.generate(ask())))[0] == "back"


async def test_forget_start_and_close_reach_both() -> None:
    edge, local = FakeSource("edge"), FakeSource("local")
    source = FailoverSource(edge, local)
    await source.start()
    source.forget("doc")
    await source.close()
    assert [(each.started, each.forgotten, each.closed) for each in (edge, local)] == [(True, "doc", True)] * 2
