"""From vLLM's outputs to what leaves: text, ends, counts, confidence. The outputs have the shape of vLLM's own."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from gpu_worker.engines.base import Chunk, Request
from gpu_worker.engines.vllm_answer import VllmAnswer
from wire_protocol.frames import Context, Lines


def output(text: str, *logprobs: float, finish: str | None = None, cached: int = 0, metrics: Any = None) -> Any:
    """A DELTA output of as many tokens as there are log-probabilities."""
    ids = list(range(len(logprobs)))
    scores = [{id: SimpleNamespace(logprob=value)} for id, value in zip(ids, logprobs, strict=True)]
    new = SimpleNamespace(text=text, token_ids=ids, logprobs=scores, finish_reason=finish)
    return SimpleNamespace(outputs=[new], num_cached_tokens=cached, metrics=metrics)


def answer(lines: Lines = "multi", stop: tuple[str, ...] = ()) -> VllmAnswer:
    return VllmAnswer(Request(1, Context(), lines=lines, stop=stop), prompt_tokens=640, arrived=10.0)


def test_text_leaves_as_it_comes_with_its_count() -> None:
    whole = answer()
    assert whole.take(output("a = ", -0.5, -0.25), 10.1) == Chunk("a = ", 2)
    assert whole.take(output("1", -0.75, finish="length"), 10.2) == Chunk("1", 1)
    assert whole.reason == "length"


def test_a_single_line_stops_before_the_newline_though_vllm_went_on() -> None:
    line = answer("single")
    assert line.take(output("x + 1\ny = ", -0.1, -0.1, -0.1), 10.1) == Chunk("x + 1", 3)
    assert line.reason == "stop"
    assert line.take(output("2", -0.1), 10.2) is None


def test_the_beginning_of_a_stop_waits_until_it_is_known_to_be_none() -> None:
    held = answer(stop=("\n\n",))
    assert held.take(output("a\n", -0.1), 10.1) == Chunk("a", 1)
    assert held.take(output("b", -0.1, finish="stop"), 10.2) == Chunk("\nb", 1)


def test_the_end_says_what_it_took() -> None:
    metrics = SimpleNamespace(queued_ts=5.0, scheduled_ts=5.004)
    whole = answer()
    whole.take(output("a", -0.5, cached=600, metrics=metrics), 10.050)
    whole.take(output("b", -1.0, -1.5, finish="stop"), 10.070)
    end = whole.finished("stop", 10.080)
    assert (end.usage.prompt_tokens, end.usage.reused_tokens, end.usage.generated_tokens) == (640, 600, 3)
    assert end.timings.queue_ms == pytest.approx(4.0)
    assert end.timings.first_token_ms == pytest.approx(50.0)
    assert end.timings.total_ms == pytest.approx(80.0)
    assert end.first_logprob == -0.5
    assert end.mean_logprob is not None
    assert math.isclose(end.mean_logprob, -1.0)


def test_no_carriage_return_ever_leaves() -> None:
    assert answer().take(output("a\r\nb", -0.1), 10.1) == Chunk("a\nb", 1)


def test_an_abort_is_a_cancellation() -> None:
    whole = answer()
    whole.take(output("", finish="abort"), 10.1)
    assert whole.reason == "cancelled"
