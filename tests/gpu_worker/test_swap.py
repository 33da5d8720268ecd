"""Exchanging the model while requests run: who answers what, what is told, what a failure leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest

from gpu_worker.engines.base import Chunk, Engine, EngineStats, Event, Finished, Readiness, Request
from gpu_worker.engines.swap import SwapEngine
from gpu_worker.errors import WorkerError
from gpu_worker.hub import Hub
from gpu_worker.swapper import Swapper
from wire_protocol.frames import AnyFrame, Context, GoAway, ModelInfo

GRACE_SECONDS = 60.0


class FakeEngine(Engine):
    """Answers when it is told to, with its name."""

    def __init__(self, name: str, *, broken: bool = False) -> None:
        self._name = name
        self._broken = broken
        self.open: dict[int, asyncio.Future[Event]] = {}
        self.asked = asyncio.Event()
        self.closed = False

    @property
    def name(self) -> str:
        return "fake"

    @property
    def model(self) -> ModelInfo:
        return ModelInfo(name=self._name)

    @property
    def capacity(self) -> int:
        return 4

    async def start(self) -> None:
        if self._broken:
            raise WorkerError(f"{self._name} does not load.")

    def readiness(self) -> Readiness:
        return Readiness(not self.closed)

    async def generate(self, request: Request) -> AsyncIterator[Event]:
        end = self.open[request.key] = asyncio.get_running_loop().create_future()
        self.asked.set()
        yield Chunk(self._name, 1)
        yield await end

    def cancel(self, key: int) -> None:
        if key in self.open:
            self.open[key].set_result(Finished("cancelled"))

    def forget(self, docs: Iterable[str]) -> None:
        pass

    def stats(self) -> EngineStats:
        return EngineStats(running=len(self.open))

    async def close(self) -> None:
        self.closed = True


async def answer(engine: Engine, key: int) -> Finished:
    async for event in engine.generate(Request(key, Context())):
        if isinstance(event, Finished):
            return event
    raise AssertionError("no end")


async def test_a_running_request_ends_on_the_old_model_and_new_ones_go_to_the_new() -> None:
    old, new = FakeEngine("old"), FakeEngine("new")
    both = SwapEngine(old)
    first = asyncio.create_task(answer(both, 1))
    await old.asked.wait()
    swapped = asyncio.Event()
    swap = asyncio.create_task(both.swap(new, GRACE_SECONDS, swapped.set))
    await swapped.wait()
    second = asyncio.create_task(answer(both, 2))
    await new.asked.wait()
    assert (both.model.name, old.closed, list(new.open)) == ("new", False, [2])
    old.open[1].set_result(Finished("stop"))
    new.open[2].set_result(Finished("length"))
    assert ((await first).model, (await first).reason) == ("old", "stop")
    assert ((await second).model, (await second).reason) == ("new", "length")
    await swap
    assert old.closed


async def test_what_outlasts_the_grace_time_is_cancelled() -> None:
    old, new = FakeEngine("old"), FakeEngine("new")
    both = SwapEngine(old)
    first = asyncio.create_task(answer(both, 1))
    await old.asked.wait()
    await both.swap(new, grace_s=0.0)
    assert (await first).reason == "cancelled"
    assert old.closed


async def test_a_model_that_does_not_load_leaves_the_old_one_at_work() -> None:
    old, new = FakeEngine("old"), FakeEngine("new", broken=True)
    both = SwapEngine(old)
    with pytest.raises(WorkerError, match="new does not load"):
        await both.swap(new, GRACE_SECONDS)
    assert (both.model.name, old.closed, new.closed) == ("old", False, True)


async def test_a_failure_nobody_foresaw_leaves_the_old_model_and_the_next_wish_is_granted() -> None:
    both = SwapEngine(FakeEngine("old"))
    hub = Hub(both, clock=lambda: 0.0)
    made: list[str] = []

    def make() -> Engine:
        made.append("")
        if len(made) == 1:
            swapper.request()  # a signal while the first exchange is under way
            raise RuntimeError("a library failed")
        return FakeEngine("new")

    swapper = Swapper(make, GRACE_SECONDS, hub, both)
    swapper.request()
    assert swapper._task is not None
    await asyncio.wait([swapper._task])
    assert both.model.name == "new"
    await swapper.close()


async def test_a_cancel_reaches_the_engine_that_has_the_request() -> None:
    old, new = FakeEngine("old"), FakeEngine("new")
    both = SwapEngine(old)
    first = asyncio.create_task(answer(both, 1))
    await old.asked.wait()
    swapped = asyncio.Event()
    swap = asyncio.create_task(both.swap(new, GRACE_SECONDS, swapped.set))
    await swapped.wait()
    both.cancel(1)
    assert (await first).reason == "cancelled"
    await swap


async def test_no_model_is_exchanged_while_the_worker_leaves() -> None:
    both, new = SwapEngine(FakeEngine("old")), FakeEngine("new")
    both.drain()
    with pytest.raises(WorkerError, match="shutting down"):
        await both.swap(new, GRACE_SECONDS)
    assert (both.model.name, new.closed) == ("old", True)


class FakePeer:
    """Notes what it is sent."""

    def __init__(self) -> None:
        self.sent: list[AnyFrame] = []
        self.retired = asyncio.Event()

    def send(self, frame: AnyFrame) -> None:
        self.sent.append(frame)

    def cancel_all(self) -> None:
        pass

    def retire(self) -> None:
        self.retired.set()


async def test_peers_are_told_to_connect_again_for_the_new_model() -> None:
    both = SwapEngine(FakeEngine("old"))
    hub = Hub(both, clock=lambda: 0.0)
    peer = FakePeer()
    hub.join(peer)
    swapper = Swapper(lambda: FakeEngine("new"), GRACE_SECONDS, hub, both)
    swapper.request()
    await peer.retired.wait()
    told = [frame for frame in peer.sent if isinstance(frame, GoAway)]
    assert [frame.reason for frame in told] == ["The model is now new: connect again."]
    await swapper.close()


async def test_a_second_wish_during_an_exchange_is_granted_after_it() -> None:
    both = SwapEngine(FakeEngine("old"))
    hub = Hub(both, clock=lambda: 0.0)
    made: list[FakeEngine] = []
    enough = asyncio.Event()

    def make() -> Engine:
        made.append(FakeEngine(f"new{len(made) + 1}"))
        return made[-1]

    class LastPeer(FakePeer):
        def retire(self) -> None:
            if both.model.name == "new1":
                swapper.request()
            else:
                enough.set()

    hub.join(LastPeer())
    swapper = Swapper(make, GRACE_SECONDS, hub, both)
    swapper.request()
    await enough.wait()
    assert both.model.name == "new2"
    await swapper.close()
