"""What vLLM is started with: presets, the settings file over them, the command line over both; pure.

Every flag of a preset is explained in gpu_worker/README.md. Arguments that the installed vLLM does not know are left
out where a preset set them, and refused where a person did.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from gpu_worker.errors import WorkerError
from gpu_worker.worker_file import suggestion

COMMON: Mapping[str, Any] = MappingProxyType(
    {
        "scheduling_policy": "priority",
        "enable_prefix_caching": True,
        "enable_chunked_prefill": True,
    }
)
PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "latency": {
            **COMMON,
            "performance_mode": "interactivity",
            "max_model_len": 8_192,
            "max_num_seqs": 64,
            "max_num_batched_tokens": 2_048,
            "stream_interval": 1,
            "speculative_config": {"method": "ngram", "num_speculative_tokens": 4, "prompt_lookup_max": 4},
        },
        "throughput": {
            **COMMON,
            "performance_mode": "throughput",
            "max_model_len": 8_192,
            "max_num_seqs": 256,
            "max_num_batched_tokens": 8_192,
            "stream_interval": 4,
        },
        "cpu": {
            **COMMON,
            "block_size": 32,
            "enforce_eager": True,
            "max_model_len": 4_096,
            "max_num_seqs": 16,
            "max_num_batched_tokens": 2_048,
            "stream_interval": 1,
        },
    }
)
ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "model": "give it as [worker] model, or --model",
        "lora_modules": "list them in [adapters]",
    }
)
"""Settings that [vllm] may not have, and where they belong."""
HEADROOM_SHARE = 16
"""Of the batch, a sixteenth is not lent to proxies: a cancelled request leaves its place a step after its peer was
told, and who comes next must not wait for that in vLLM's queue, where order cannot be changed from outside."""
MIN_MODEL_LEN = 128
"""Below this, markers and reserves leave no room for code."""


@dataclass(frozen=True, slots=True)
class VllmOptions:
    """What can be set. Empty `preset`: `cpu` where vLLM runs on a CPU, else `latency`. Zeros leave it to the preset."""

    model: str
    preset: str = ""
    engine: Mapping[str, Any] = field(default_factory=dict)
    adapters: Mapping[str, str] = field(default_factory=dict)
    parallel: int = 0
    context: int = 0
    peak_tflops: float = 0.0
    memory_gb_per_s: float = 0.0


def engine_arguments(
    options: VllmOptions, fields: Collection[str], *, on_cpu: bool, longest: int, version: str
) -> dict[str, Any]:
    """The arguments for AsyncEngineArgs.

    `fields` are those that the installed vLLM has; `longest` is the model's own context length in tokens, 0 if it
    is not known. Raises WorkerError.
    """
    name = options.preset or ("cpu" if on_cpu else "latency")
    preset = PRESETS.get(name)
    if preset is None:
        raise WorkerError(f"There is no preset {name!r}{suggestion(name, PRESETS)}.")
    for key in options.engine:
        if key in ELSEWHERE:
            raise WorkerError(f"[vllm] {key} is not set there: {ELSEWHERE[key]}.")
        if key not in fields:
            raise WorkerError(f"[vllm] {key}: vLLM {version} has no such engine argument{suggestion(key, fields)}.")
    arguments = {key: value for key, value in preset.items() if key in fields}
    if longest and arguments["max_model_len"] > longest:
        arguments["max_model_len"] = longest
    if options.adapters:
        arguments |= {"enable_lora": True, "max_loras": min(len(options.adapters), 8)}
    arguments |= options.engine
    if options.parallel:
        arguments["max_num_seqs"] = options.parallel
    if options.context:
        arguments["max_model_len"] = options.context
    _check_sizes(arguments)
    return {"model": options.model, **copy.deepcopy(arguments)}  # vLLM writes into those that are dictionaries


def capacity_of(arguments: Mapping[str, Any]) -> int:
    """How many requests to lend to proxies: just under the batch size."""
    batch = int(arguments["max_num_seqs"])
    return max(1, batch - batch // HEADROOM_SHARE)


def _check_sizes(arguments: Mapping[str, Any]) -> None:
    for key in ("max_num_seqs", "max_num_batched_tokens", "max_model_len"):
        value = arguments.get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise WorkerError(f"[vllm] {key} must be a positive number, not {value!r}.")
    if arguments["max_model_len"] < MIN_MODEL_LEN:
        raise WorkerError(
            f"A context of {arguments['max_model_len']} tokens is too short: give --context {MIN_MODEL_LEN} or more."
        )
