"""What vLLM is started with: preset, settings file, command line, and the arguments of the installed version."""

from __future__ import annotations

from typing import Any

import pytest

from gpu_worker.engines.vllm_options import PRESETS, VllmOptions, capacity_of, engine_arguments
from gpu_worker.errors import WorkerError

FIELDS = frozenset({name for preset in PRESETS.values() for name in preset}) | {
    "model",
    "quantization",
    "kv_cache_dtype",
    "tensor_parallel_size",
    "enable_lora",
    "max_loras",
    "gpu_memory_utilization",
}


def arguments(
    options: VllmOptions, *, on_cpu: bool = False, longest: int = 32_768, fields: frozenset[str] = FIELDS
) -> dict[str, Any]:
    return engine_arguments(options, fields, on_cpu=on_cpu, longest=longest, version="0.32.0")


def test_a_gpu_gets_the_latency_preset_and_a_cpu_its_own() -> None:
    gpu, cpu = arguments(VllmOptions("m")), arguments(VllmOptions("m"), on_cpu=True)
    assert gpu["performance_mode"] == "interactivity"
    assert "enforce_eager" not in gpu  # CUDA graphs stay on
    assert (cpu["block_size"], cpu["enforce_eager"]) == (32, True)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_orders_by_priority_and_reuses_prefixes(preset: str) -> None:
    given = arguments(VllmOptions("m", preset=preset))
    assert given["scheduling_policy"] == "priority"
    assert given["enable_prefix_caching"] is True
    assert given["model"] == "m"


def test_the_settings_file_goes_over_the_preset_and_the_command_line_over_both() -> None:
    options = VllmOptions(
        "m", engine={"max_num_seqs": 8, "quantization": "fp8", "kv_cache_dtype": "fp8"}, parallel=4, context=1_000
    )
    given = arguments(options)
    assert (given["max_num_seqs"], given["max_model_len"]) == (4, 1_000)
    assert (given["quantization"], given["kv_cache_dtype"]) == ("fp8", "fp8")


def test_the_context_is_no_longer_than_the_models_own() -> None:
    assert arguments(VllmOptions("m"), longest=2_048)["max_model_len"] == 2_048
    assert arguments(VllmOptions("m"), longest=0)["max_model_len"] == 8_192


def test_what_a_preset_sets_and_the_version_lacks_is_left_out() -> None:
    assert "performance_mode" not in arguments(VllmOptions("m"), fields=FIELDS - {"performance_mode"})


def test_what_vllm_writes_into_its_arguments_does_not_reach_the_next_start() -> None:
    # As SpeculativeConfig's making does: it adds the target's configuration to the dictionary.
    arguments(VllmOptions("m", preset="latency"))["speculative_config"]["target_model_config"] = object()
    assert "target_model_config" not in arguments(VllmOptions("m", preset="latency"))["speculative_config"]


def test_adapters_switch_lora_on() -> None:
    given = arguments(VllmOptions("m", adapters={"a": "/a", "b": "/b"}))
    assert (given["enable_lora"], given["max_loras"]) == (True, 2)
    assert "enable_lora" not in arguments(VllmOptions("m"))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (VllmOptions("m", preset="latncy"), "did you mean latency?"),
        (VllmOptions("m", engine={"max_num_seq": 3}), "did you mean max_num_seqs?"),
        (VllmOptions("m", engine={"model": "x"}), "[worker] model"),
        (VllmOptions("m", engine={"max_num_seqs": 0}), "positive number"),
        (VllmOptions("m", engine={"max_num_seqs": "many"}), "positive number"),
        (VllmOptions("m", context=64), "too short"),
    ],
)
def test_a_mistake_is_one_sentence(options: VllmOptions, sentence: str) -> None:
    with pytest.raises(WorkerError) as told:
        arguments(options)
    assert sentence in str(told.value)


@pytest.mark.parametrize(("batch", "lent"), [(1, 1), (2, 2), (16, 15), (64, 60), (256, 240)])
def test_a_little_less_than_the_batch_is_lent_to_proxies(batch: int, lent: int) -> None:
    assert capacity_of({"max_num_seqs": batch}) == lent
