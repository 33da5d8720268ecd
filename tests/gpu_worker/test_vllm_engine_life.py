"""The vllm engine around vLLM: what may reach a request before its task has begun, and failures of a restart.

vLLM itself is a stand-in here, which says what a test needs at the moment it needs it; tests/vllm has the real one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tokenizers import Tokenizer

from gpu_worker.engines import vllm_engine
from gpu_worker.engines.base import Event, Request
from gpu_worker.engines.vllm_engine import VllmEngine
from gpu_worker.engines.vllm_options import PRESETS, VllmOptions
from gpu_worker.engines.vllm_vocabulary import HuggingFaceVocabulary
from gpu_worker.estimates import Cost
from wire_protocol.frames import Context

TOKENIZER = Path(__file__).resolve().parents[2] / "training" / "tokenizer.json"
WAIT_SECONDS = 10.0
WARM_UP = "foretype--1"


class FakeLlm:
    """Answers the warm-up at once and other requests never."""

    def __init__(self, warmed: asyncio.Event, asked: asyncio.Event) -> None:
        self._warmed = warmed
        self._asked = asked
        self.errored = False
        self.is_shut = False
        self.vllm_config = SimpleNamespace(model_config=SimpleNamespace(max_model_len=2_048))

    async def generate(self, prompt: Any, sampling: Any, id: str, **_: Any) -> AsyncIterator[Any]:
        if id != WARM_UP:
            self._asked.set()
            await asyncio.Event().wait()
        self._warmed.set()
        output = SimpleNamespace(token_ids=[1], text="x", finish_reason="stop", logprobs=None)
        yield SimpleNamespace(outputs=[output], num_cached_tokens=0, metrics=None)

    def shutdown(self, timeout: float) -> None:
        self.is_shut = True


class FakeVllmApi:
    """Gives one FakeLlm after another; `surprises` are raised by what is asked of a loaded one."""

    on_cpu, device, version = True, "", "0.0"
    engine_fields = frozenset(key for preset in PRESETS.values() for key in preset)

    def __init__(self) -> None:
        self.made: list[FakeLlm] = []
        self.warmed = asyncio.Event()
        self.asked = asyncio.Event()
        self.surprises: list[Exception] = []

    def longest(self, model: str, *, trust_remote_code: bool) -> int:
        return 2_048

    def vocabulary(self, tokenizer: str, *, trust_remote_code: bool) -> HuggingFaceVocabulary:
        return HuggingFaceVocabulary(Tokenizer.from_file(str(TOKENIZER)), bos=None, specials=[])

    def engine(self, arguments: Any, on_step: Any) -> FakeLlm:
        self.made.append(FakeLlm(self.warmed, self.asked))
        return self.made[-1]

    def cost(self, llm: FakeLlm) -> Cost:
        if self.surprises:
            raise self.surprises.pop()
        return Cost()

    def kv_tokens(self, llm: FakeLlm) -> int:
        return 0

    def prompt(self, tokens: list[int], cache_salt: str) -> Any:
        return tokens

    def sampling(self, **values: Any) -> Any:
        return values


@pytest.fixture
async def engine() -> AsyncIterator[tuple[VllmEngine, FakeVllmApi]]:
    api = FakeVllmApi()
    made = VllmEngine(VllmOptions("m"), api=api)  # type: ignore[arg-type]
    await made.start()
    yield made, api
    await made.close()


async def test_a_promotion_before_a_requests_task_has_begun_gives_it_its_time(
    engine: tuple[VllmEngine, FakeVllmApi],
) -> None:
    worker, api = engine
    events: list[Event] = []

    async def ask() -> None:
        async for event in worker.generate(Request(key=1, context=Context(before="x"), give_up_ms=60_000)):
            events.append(event)

    asking = asyncio.create_task(ask())
    await asyncio.sleep(0)  # its request is there, the task behind it has not begun
    assert 1 in worker._running
    assert 1 not in worker._limits
    worker.promote(1, "invoked", 0, 600_000)
    await api.asked.wait()
    assert (worker._limits[1].when() or 0.0) - asyncio.get_running_loop().time() > 100
    worker.cancel(1)
    await asking
    assert [event.reason for event in events if hasattr(event, "reason")] == ["cancelled"]


async def test_a_surprise_while_it_is_started_again_is_followed_by_another_attempt(
    engine: tuple[VllmEngine, FakeVllmApi], monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, api = engine
    monkeypatch.setattr(vllm_engine, "RESTART_DELAYS_SECONDS", (0.0,) * 7)
    api.surprises.append(AttributeError("another version"))
    api.warmed.clear()
    api.made[0].errored = True
    worker._died.set()
    async with asyncio.timeout(WAIT_SECONDS):
        await api.warmed.wait()
    assert len(api.made) == 3
    assert api.made[1].is_shut
    assert worker.readiness().ready
