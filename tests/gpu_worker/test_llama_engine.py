"""The llama engine on real llama.cpp with tiny models: what is generated, what is reused, how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gpu_worker.engines.base import Chunk, Finished, Request
from gpu_worker.engines.llama_engine import LlamaEngine, LlamaOptions, prefill_threads, thread_count
from gpu_worker.errors import WorkerError
from wire_protocol.frames import Context

FOREVER_MS = 600_000.0
CODE = "".join(f"def f{n}(a, b):\n    return a + b * {n}\n\n" for n in range(12))
AFTER = "\n\nclass C:\n    def run(self):\n        return self.x\n" * 4
MAX_EVALUATED = 8
"""The issue's promise for one more typed character."""


@pytest.fixture
async def alphabet(alphabet_gguf: Path) -> AsyncIterator[LlamaEngine]:
    engine = LlamaEngine(LlamaOptions(str(alphabet_gguf), parallel=2, spare=1))
    await engine.start()
    yield engine
    await engine.close()


@pytest.fixture
async def random(random_gguf: Path) -> AsyncIterator[LlamaEngine]:
    engine = LlamaEngine(LlamaOptions(str(random_gguf), parallel=2, spare=2))
    await engine.start()
    yield engine
    await engine.close()


async def collect(engine: LlamaEngine, request: Request) -> tuple[str, Finished]:
    text = ""
    async for event in engine.generate(request):
        if isinstance(event, Finished):
            return text, event
        text += event.text
    raise AssertionError("no Finished came")


def ask(key: int, context: Context, **fields: object) -> Request:
    settings = {"doc": "doc", "lines": "multi", "max_tokens": 100, "give_up_ms": FOREVER_MS, **fields}
    return Request(key=key, context=context, **settings)  # type: ignore[arg-type]  # test shorthand


async def test_the_answer_continues_what_was_typed_and_ends_at_the_end_token(alphabet: LlamaEngine) -> None:
    text, end = await collect(alphabet, ask(1, Context(before="x = ", typed="uv")))
    assert text == "wxyz\nABCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert (end.reason, end.usage.generated_tokens) == ("stop", len(text))


async def test_a_single_line_ends_at_the_newline(alphabet: LlamaEngine) -> None:
    text, end = await collect(alphabet, ask(1, Context(typed="v"), lines="single"))
    assert (text, end.reason) == ("wxyz", "stop")


async def test_max_tokens_ends_with_length(alphabet: LlamaEngine) -> None:
    text, end = await collect(alphabet, ask(1, Context(typed="1"), max_tokens=5))
    assert (text, end.reason) == ("23456", "length")


async def test_a_stop_string_is_not_part_of_the_answer(alphabet: LlamaEngine) -> None:
    text, end = await collect(alphabet, ask(1, Context(typed="a"), stop=("fgh",)))
    assert (text, end.reason) == ("bcde", "stop")


async def test_code_points_of_several_tokens_leave_whole(alphabet: LlamaEngine) -> None:
    chunks = [event async for event in alphabet.generate(ask(1, Context(typed="("), max_tokens=3))]
    assert [chunk.text for chunk in chunks if isinstance(chunk, Chunk)] == ["é", ")"]
    assert chunks[0] == Chunk("é", 2)


async def test_log_probabilities_are_reported(alphabet: LlamaEngine) -> None:
    _, end = await collect(alphabet, ask(1, Context(typed="a"), max_tokens=4))
    assert end.mean_logprob is not None
    assert end.first_logprob is not None
    assert -1.0 < end.mean_logprob <= 0.0


async def test_requests_decoded_together_do_not_mix(random: LlamaEngine) -> None:
    contexts = [Context(before=CODE, typed=word, after=AFTER) for word in ("one", "two", "three", "four")]
    together = await asyncio.gather(
        *(collect(random, ask(n, context, doc=str(n), max_tokens=20)) for n, context in enumerate(contexts))
    )
    random.forget(str(n) for n in range(4))
    for n, context in enumerate(contexts):
        alone = await collect(random, ask(10 + n, context, doc="alone", cache_salt=str(n), max_tokens=20))
        assert alone[0] == together[n][0]


async def test_a_reused_cache_gives_the_same_answer_as_a_cold_one(random: LlamaEngine) -> None:
    for n in range(1, 6):
        context = Context(before=CODE, typed="return"[:n], after=AFTER)
        warm = await collect(random, ask(n, context, max_tokens=12))
        cold = await collect(random, ask(100 + n, context, max_tokens=12, cache_salt=f"cold {n}"))
        assert warm[0] == cold[0]
        assert cold[1].usage.reused_tokens == 0


def evaluated(end: Finished) -> int:
    return end.usage.prompt_tokens - end.usage.reused_tokens


async def test_one_more_key_evaluates_at_most_eight_tokens(random: LlamaEngine) -> None:
    typed = "    value = self.compute(first, second)"
    costs = []
    for n in range(len(typed)):
        context = Context(before=CODE, typed=typed[: n + 1], after=AFTER)
        _, end = await collect(random, ask(n, context, max_tokens=6))
        costs.append(evaluated(end))
    assert max(costs[1:]) <= MAX_EVALUATED


async def test_an_auto_closed_bracket_costs_no_more(random: LlamaEngine) -> None:
    costs = []
    for n, (typed, tail) in enumerate(
        [("f", ""), ("f(", ")"), ("f([", "])"), ("f([1", "])"), ("f([1]", ")"), ("f([1])", "")]
    ):
        _, end = await collect(random, ask(n, Context(before=CODE, typed=typed, tail=tail, after=AFTER), max_tokens=6))
        costs.append(evaluated(end))
    assert max(costs[1:]) <= MAX_EVALUATED


async def test_without_the_anchored_layout_a_key_evaluates_hundreds(random: LlamaEngine) -> None:
    costs = []
    for n, typed in enumerate(("    v", "    va", "    val")):
        _, end = await collect(random, ask(n, Context(before=CODE + typed, after=AFTER), max_tokens=6))
        costs.append(evaluated(end))
    assert min(costs[1:]) > 100


async def test_a_second_request_of_a_document_copies_the_first_ones_cache(random: LlamaEngine) -> None:
    first = random.generate(ask(1, Context(before=CODE, typed="a", after=AFTER), max_tokens=400))
    await anext(first)  # it runs: its prompt has been evaluated
    _, end = await collect(random, ask(2, Context(before=CODE, typed="ab", after=AFTER), max_tokens=2))
    assert evaluated(end) <= MAX_EVALUATED
    await first.aclose()


async def test_another_tenants_cache_is_not_reused(random: LlamaEngine) -> None:
    context = Context(before=CODE, typed="a", after=AFTER)
    await collect(random, ask(1, context, max_tokens=1, cache_salt="one"))
    _, end = await collect(random, ask(2, context, max_tokens=1, cache_salt="two"))
    assert end.usage.reused_tokens == 0


async def test_cancel_ends_an_answer_between_tokens(alphabet: LlamaEngine) -> None:
    request = ask(1, Context(typed="1"), max_tokens=900)
    events = alphabet.generate(request)
    await anext(events)
    alphabet.cancel(1)
    rest = [event async for event in events]
    assert isinstance(rest[-1], Finished)
    assert rest[-1].reason == "cancelled"
    assert rest[-1].usage.generated_tokens < 900


async def test_closing_the_iterator_frees_its_place(alphabet: LlamaEngine) -> None:
    for key in range(4):  # more than may run at once
        events = alphabet.generate(ask(key, Context(typed="1"), max_tokens=900))
        await anext(events)
        await events.aclose()
    _, end = await collect(alphabet, ask(9, Context(typed="a"), max_tokens=1))
    assert end.reason == "length"


async def test_a_request_without_time_is_shed(alphabet: LlamaEngine) -> None:
    text, end = await collect(alphabet, ask(1, Context(typed="a"), give_up_ms=0.0))
    assert (text, end.reason) == ("", "shed")
    assert "worthless" in end.message


async def test_more_requests_than_run_at_once_wait_and_are_answered(alphabet: LlamaEngine) -> None:
    answers = await asyncio.gather(
        *(collect(alphabet, ask(n, Context(typed="v"), lines="single", doc=str(n))) for n in range(10))
    )
    assert {text for text, _ in answers} == {"wxyz"}


async def test_forgetting_a_document_empties_its_cache(random: LlamaEngine) -> None:
    await collect(random, ask(1, Context(before=CODE), max_tokens=1))
    random.forget(["doc"])
    _, end = await collect(random, ask(2, Context(before=CODE), max_tokens=1))
    assert end.usage.reused_tokens == 0


async def test_closing_ends_what_runs(alphabet_gguf: Path) -> None:
    engine = LlamaEngine(LlamaOptions(str(alphabet_gguf)))
    await engine.start()
    events = engine.generate(ask(1, Context(typed="1"), max_tokens=900))
    await anext(events)
    await engine.close()
    assert [event async for event in events][-1].reason == "cancelled"  # type: ignore[union-attr]  # the last is Finished


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"model": "nowhere.gguf"}, "no model file"),
        ({"context": 4_096}, "was trained with 1024"),
        ({"context": 64}, "too short"),
    ],
)
async def test_what_cannot_be_loaded_is_said_in_a_sentence(
    alphabet_gguf: Path, options: dict[str, object], sentence: str
) -> None:
    engine = LlamaEngine(LlamaOptions(**{"model": str(alphabet_gguf), **options}))  # type: ignore[arg-type]
    with pytest.raises(WorkerError, match=sentence):
        await engine.start()
    assert engine.readiness().fatal
    await engine.close()


@pytest.fixture
def truncated_gguf(alphabet_gguf: Path, tmp_path: Path) -> Path:
    path = tmp_path / "broken.gguf"
    path.write_bytes(alphabet_gguf.read_bytes()[:20_000])
    return path


async def test_a_truncated_file_is_said_in_a_sentence(truncated_gguf: Path) -> None:
    engine = LlamaEngine(LlamaOptions(str(truncated_gguf)))
    with pytest.raises(WorkerError, match="not a GGUF model that this llama"):
        await engine.start()
    await engine.close()


async def test_a_failure_nobody_foresaw_while_loading_ends_the_start(
    alphabet_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: str) -> Path:
        raise ValueError("a library's surprise")

    monkeypatch.setattr("gpu_worker.models.resolve", broken)
    engine = LlamaEngine(LlamaOptions(model=str(alphabet_gguf)))
    with pytest.raises(WorkerError, match=r"internal error \(ValueError: a library's surprise\)"):
        async with asyncio.timeout(5.0):
            await engine.start()


def test_small_models_use_one_thread_and_large_ones_the_cores() -> None:
    assert [thread_count(10**6, 0, 4), thread_count(10**10, 0, 4), thread_count(10**6, 3, 4)] == [1, 4, 3]


def test_a_small_model_evaluates_prompts_with_two_threads_where_there_are_two_cores() -> None:
    assert [prefill_threads(1, 0, 4), prefill_threads(1, 0, 1), prefill_threads(4, 0, 4), prefill_threads(1, 1, 4)] == [
        2,
        1,
        4,
        1,
    ]
