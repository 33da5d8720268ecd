"""The same weights in four engines: fp32 gives the same greedy tokens, bf16 and INT4 stay within stated bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import parity
import pytest

pytestmark = pytest.mark.timeout(1800)

Report = Callable[[str, parity.Result], None]

FP32_LOSS = 0.0005
"""Nats a token by which fp32 engines may differ in what they think of the truth."""
F16_LOSS = 0.001
BF16_LOSS = 0.01
INT4_LOSS = 0.05
"""What quantisation may cost, against the weights it was made from."""
INT4_COMPUTE_LOSS = 0.01
"""What rounding activations to 8 bits may cost, against the very same INT4 numbers in fp32."""
MIN_WHOLE_PROMPTS = 40
"""Of the 50, those that can be written as one text: some files have a marker written in them."""


def in_fp32(name: str, reference: parity.Result, other: parity.Result, bound: float, report: Report) -> None:
    report(name, other)
    assert parity.worst(parity.partings(reference, other)) < parity.ROUNDING_NATS
    assert parity.worst(parity.disagreements(reference, other)) < parity.ROUNDING_NATS
    assert abs(parity.loss(other) - parity.loss(reference)) < bound


def test_the_references_greedy_path_is_its_likeliest_token_at_every_place(reference: parity.Result) -> None:
    # With the KV cache token by token, and in one go: the same computation in another order.
    for chosen, scores in zip(reference["greedy"], reference["path"], strict=True):
        lead = [
            margin for one, two, margin in zip(chosen, scores["argmax"], scores["margin"], strict=True) if one != two
        ]
        assert max(lead, default=0.0) < parity.ROUNDING_NATS


def test_vllm_in_fp32_gives_the_same_greedy_tokens(reference: parity.Result, vllm_fp32: Any, report: Report) -> None:
    in_fp32("vLLM fp32", reference, vllm_fp32, FP32_LOSS, report)


def test_llama_cpp_in_f32_gives_the_same_greedy_tokens(
    reference: parity.Result, in_llama_cpp: dict[str, parity.Result], report: Report
) -> None:
    in_fp32("llama.cpp f32", reference, in_llama_cpp["f32"], FP32_LOSS, report)


def test_llama_cpp_in_f16_gives_the_same_greedy_tokens(
    reference: parity.Result, in_llama_cpp: dict[str, parity.Result], report: Report
) -> None:
    in_fp32("llama.cpp f16", reference, in_llama_cpp["f16"], F16_LOSS, report)


def in_bf16(name: str, reference: parity.Result, other: parity.Result, report: Report) -> None:
    report(name, other)
    assert parity.worst(parity.disagreements(reference, other)) < parity.BF16_NATS
    assert abs(parity.loss(other) - parity.loss(reference)) < BF16_LOSS


def test_transformers_in_bf16_has_the_same_likeliest_token_where_fp32_is_sure(
    reference: parity.Result, transformers: Any, report: Report
) -> None:
    in_bf16("Transformers bf16", reference, transformers["bfloat16"], report)


def test_vllm_in_bf16_has_the_same_likeliest_token_where_fp32_is_sure(
    reference: parity.Result, vllm_bf16: Any, report: Report
) -> None:
    in_bf16("vLLM bf16", reference, vllm_bf16, report)


def test_int4_costs_little(
    weights: Any, reference: parity.Result, in_llama_cpp: dict[str, parity.Result], report: Report
) -> None:
    report("llama.cpp INT4", in_llama_cpp["INT4"])
    bound = INT4_COMPUTE_LOSS if weights.lossless else INT4_LOSS
    assert parity.loss(in_llama_cpp["INT4"]) - parity.loss(reference) < bound


def test_every_engine_tokenises_text_alike(
    job: dict[str, Any], transformers: Any, vllm_fp32: Any, llama_tokenizer: Any
) -> None:
    ours = [llama_tokenizer.tokenize(text, markers=False) for text in job["texts"]]
    assert transformers["texts"] == ours
    assert vllm_fp32["texts"] == ours


def test_every_engine_reads_a_whole_prompt_as_the_worker_builds_it(
    job: dict[str, Any], whole_prompts: list[list[int]], transformers: Any, vllm_fp32: Any, llama_tokenizer: Any
) -> None:
    assert len(whole_prompts) >= MIN_WHOLE_PROMPTS
    assert transformers["layouts"] == whole_prompts
    assert vllm_fp32["layouts"] == whole_prompts
    assert [llama_tokenizer.tokenize(text, markers=True) for text in job["layouts"]] == whole_prompts
