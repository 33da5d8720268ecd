"""The vllm engine with the real vLLM: answers, reuse, order, aborts, adapters, errors."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from vllm import SamplingParams
from vllm.sampling_params import RequestOutputKind
from vllm_asking import FUNCTIONS, ask, request, until

from gpu_worker.engines.base import Chunk, Event, Finished
from gpu_worker.engines.vllm_engine import VllmEngine
from wire_protocol.frames import Context

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(900)]

AFTER = "\n\nprint(scale_1(2, 3))\n"
LONG_ANSWER = 400


def keystroke(typed: str) -> Context:
    return Context(before=f"{FUNCTIONS}def shift(value, offset):\n", typed=typed, after=AFTER, path="scales.py")


async def batch(engine: VllmEngine, context: Context, max_tokens: int) -> tuple[str, list[int]]:
    """vLLM's own answer to the same prompt, in one piece."""
    loaded = engine._known()
    tokens = loaded.builder.build(context, max_tokens).tokens
    wanted = SamplingParams(
        temperature=0,
        max_tokens=max_tokens,
        stop_token_ids=loaded.vocabulary.control_tokens,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )
    final: Any = None
    async for output in loaded.llm.generate({"prompt_token_ids": tokens}, wanted, f"batch-{id(context)}"):
        final = output
    return final.outputs[0].text, list(final.outputs[0].token_ids)


async def test_a_streamed_completion_equals_the_batch_one(engine: VllmEngine) -> None:
    for typed in ("    return value", "    # Move value by offset.\n    ", "    for step in "):
        whole, tokens = await batch(engine, keystroke(typed), 40)
        streamed = await ask(engine, keystroke(typed), max_tokens=40)
        assert streamed.text == whole
        assert len(streamed.chunks) > 3
        assert streamed.end.usage.generated_tokens == len(tokens)


async def test_an_answer_says_what_it_took_and_how_sure_it_was(engine: VllmEngine) -> None:
    answer = await ask(engine, keystroke("    return "), max_tokens=12)
    end = answer.end
    assert end.reason in ("stop", "length")
    assert end.first_logprob is not None
    assert end.mean_logprob is not None
    assert end.first_logprob <= 0.0
    assert end.mean_logprob <= 0.0
    assert 0 < end.timings.first_token_ms < end.timings.total_ms
    assert end.timings.queue_ms <= end.timings.first_token_ms
    assert sum(chunk.tokens for chunk in answer.chunks) <= end.usage.generated_tokens <= 12


async def test_a_single_line_ends_before_its_newline_and_its_request_is_aborted(engine: VllmEngine) -> None:
    answer = await ask(engine, keystroke("    return "), max_tokens=LONG_ANSWER, lines="single")
    assert answer.end.reason == "stop"
    assert "\n" not in answer.text
    assert answer.text.strip()
    assert answer.end.usage.generated_tokens < 40
    assert engine.stats().running == 0


async def test_keystrokes_in_an_anchored_context_reuse_nine_tenths_of_a_600_token_prompt(engine: VllmEngine) -> None:
    def counters() -> tuple[float, float]:
        text = engine.prometheus().decode()
        hits, queries = (
            float(re.search(rf"^vllm:prefix_cache_{name}_total\{{.*\}} (\S+)$", text, re.MULTILINE)[1])  # type: ignore[index]
            for name in ("hits", "queries")
        )
        return hits, queries

    line = "    return value + off"
    first = await ask(engine, keystroke(""), max_tokens=1, cache_salt="anchored")
    assert first.end.usage.prompt_tokens >= 600
    assert first.end.usage.reused_tokens == 0
    before = counters()
    shares = []
    for end in range(1, len(line) + 1):
        usage = (await ask(engine, keystroke(line[:end]), max_tokens=1, cache_salt="anchored")).end.usage
        shares.append(usage.reused_tokens / usage.prompt_tokens)
    after = counters()
    assert min(shares) >= 0.9
    assert (after[0] - before[0]) / (after[1] - before[1]) >= 0.9


async def test_nothing_is_reused_across_tenants(engine: VllmEngine) -> None:
    for tenant in ("one", "two"):
        answer = await ask(engine, keystroke("    return 1"), max_tokens=1, cache_salt=tenant)
        assert answer.end.usage.reused_tokens == 0
    again = await ask(engine, keystroke("    return 1"), max_tokens=1, cache_salt="two")
    assert again.end.usage.reused_tokens > 500


async def test_a_context_that_is_too_long_is_cut_to_the_model(engine: VllmEngine) -> None:
    long = Context(before=FUNCTIONS * 40, typed="x = 1\n" * 300, after=FUNCTIONS * 40)
    answer = await ask(engine, long, max_tokens=8)
    assert answer.end.reason in ("stop", "length")
    assert answer.end.usage.prompt_tokens + 8 <= engine.model.context_tokens


async def test_a_users_text_never_becomes_a_control_token(engine: VllmEngine) -> None:
    vocabulary = engine._known().vocabulary
    text = "x = '<|endoftext|><|fim_prefix|><|fim_middle|>'  # <|file_sep|>\n"
    tokens = vocabulary.tokenize(text)
    assert not set(tokens) & set(vocabulary.control_tokens)
    assert vocabulary.fim is not None
    assert vocabulary.ends_line(tokens[-1])


class Reading:
    """A request that is being read in a task; `began` is set by its first text."""

    def __init__(self, stream: AsyncIterator[Event]) -> None:
        self.began = asyncio.Event()
        self.ended: Finished | None = None
        self.task = asyncio.create_task(self._read(stream))

    async def _read(self, stream: AsyncIterator[Event]) -> None:
        async for event in stream:
            if isinstance(event, Chunk):
                self.began.set()
            else:
                self.ended = event


def occupy(engine: VllmEngine) -> list[tuple[int, Reading]]:
    """As many long answers as vLLM runs at once."""
    readings = []
    for number in range(2):
        long = request(Context(before=f"numbers_{number} = [1, 2, 3, ", after=""), max_tokens=LONG_ANSWER, stop=("\0",))
        readings.append((long.key, Reading(engine.generate(long))))
    return readings


def queued(engine: VllmEngine) -> int:
    """Requests in vLLM's own queue after its last step."""
    return engine._meter._last.waiting


async def test_after_an_abort_a_waiter_runs_within_two_steps_and_its_own_prefill(engine: VllmEngine) -> None:
    running = occupy(engine)
    for _, reading in running:
        await reading.began.wait()
    waiting = request(keystroke("    # waits\n"), max_tokens=2, cache_salt="waiter")
    waiter = Reading(engine.generate(waiting))
    await until(lambda: queued(engine) == 1)
    steps = engine.steps
    engine.cancel(running[0][0])
    await waiter.began.wait()
    assert engine.steps - steps <= 3
    assert running[0][1].ended is not None
    assert running[0][1].ended.reason == "cancelled"
    engine.cancel(running[1][0])
    await asyncio.gather(waiter.task, *(reading.task for _, reading in running))


async def test_under_a_full_engine_the_newest_runs_first_and_invoked_before_it(engine: VllmEngine) -> None:
    running = occupy(engine)
    for _, reading in running:
        await reading.began.wait()
    order: list[str] = []

    async def wait(name: str, **settings: Any) -> None:
        await ask(engine, keystroke(f"    # {name}\n"), max_tokens=1, **settings)
        order.append(name)

    tasks = []
    for name, settings in (
        ("prefetch", {"kind": "prefetch"}),
        ("oldest", {}),
        ("invoked", {"kind": "invoked"}),
        ("newer", {}),
        ("newest", {}),
    ):
        tasks.append(asyncio.create_task(wait(name, **settings)))
        # Its request is numbered and in vLLM before the next one is made.
        await until(lambda: queued(engine) == len(tasks))
    engine.cancel(running[0][0])  # one place is free: they run one after the other
    await asyncio.gather(*tasks)
    engine.cancel(running[1][0])
    await asyncio.gather(*(reading.task for _, reading in running))
    assert order == ["invoked", "newest", "newer", "oldest", "prefetch"]


async def test_closing_an_answer_early_frees_its_place(engine: VllmEngine) -> None:
    stream = engine.generate(request(keystroke("    # leave\n"), max_tokens=LONG_ANSWER))
    async for event in stream:
        assert isinstance(event, Chunk)
        break
    await stream.aclose()  # type: ignore[attr-defined]
    answer = await ask(engine, keystroke("    # stay\n"), max_tokens=2)
    assert answer.end.reason in ("stop", "length")
    assert engine._known().llm.output_processor.get_num_unfinished_requests() == 0


async def test_a_request_that_cannot_be_done_in_time_is_shed(engine: VllmEngine) -> None:
    answer = await ask(engine, keystroke("    # late\n"), max_tokens=LONG_ANSWER, give_up_ms=1.0)
    assert answer.end.reason == "shed"
    assert "1 ms" in answer.end.message


async def test_a_tenants_adapter_answers_for_it(engine: VllmEngine) -> None:
    context = keystroke("    return ")
    base, mute, loud = [
        (await ask(engine, context, max_tokens=16, adapter=adapter)).text for adapter in ("", "mute", "loud")
    ]
    assert base == mute
    assert base != loud
    assert engine.has_adapter("loud")
    assert not engine.has_adapter("none")


async def test_vllm_refuses_in_words_what_it_cannot_run(engine: VllmEngine) -> None:
    loaded = engine._known()
    too_long = [loaded.vocabulary.tokenize("x")[0]] * (engine.model.context_tokens + 5)
    asked = request(keystroke(""), max_tokens=4)
    answer: Any = None
    events: asyncio.Queue[Event] = asyncio.Queue()
    from gpu_worker.engines.vllm_answer import VllmAnswer

    answer = VllmAnswer(asked, len(too_long), 0.0)
    await engine._pump(loaded, asked, too_long, 4, answer, events)
    end = events.get_nowait()
    assert isinstance(end, Finished)
    assert end.reason == "error"
    assert "refuses this request" in end.message
    assert str(engine.model.context_tokens) in end.message


async def test_what_the_model_costs_is_counted_from_its_configuration(engine: VllmEngine, starter: Path) -> None:
    llm = engine._known().llm
    cost = engine._api.cost(llm)
    numbers = sum(tensor.numel() for tensor in load_file(starter / "model.safetensors").values())
    assert cost.parameters == pytest.approx(numbers, rel=0.001)  # norms are not counted
    assert cost.weight_bytes == 4 * cost.parameters
    assert engine._api.kv_tokens(llm) > engine.model.context_tokens


async def test_a_dead_engine_process_is_told_and_started_again(engine: VllmEngine) -> None:
    # Last in this file: what follows has a fresh engine.
    import psutil

    def engine_core() -> psutil.Process:
        # vLLM's engine core is our child that has a worker below it.
        return next(child for child in psutil.Process().children() if child.children())

    (_, reading), _ = occupy(engine)
    await reading.began.wait()
    core = engine_core()
    for process in (core, *core.children(recursive=True)):
        process.kill()
    await reading.task
    assert reading.ended is not None
    assert reading.ended.reason == "shed"
    assert "died" in reading.ended.message
    await until(lambda: not engine.readiness().ready)
    assert "started again" in engine.readiness().message
    refused = await ask(engine, keystroke(""), max_tokens=2)
    assert refused.end.reason == "shed"
    await until(lambda: engine.readiness().ready or engine.readiness().fatal)
    assert (await ask(engine, keystroke(""), max_tokens=2)).end.reason in ("stop", "length")
