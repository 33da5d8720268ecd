"""The only file that touches the vLLM package: imported when asked for, differences between versions told here.

Run with 0.20.2 and 0.32.0. Arguments are compared with the fields of the installed AsyncEngineArgs; statistics are
read by attribute, with what older versions have instead.
"""

from __future__ import annotations

import dataclasses
import importlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from gpu_worker.engines.vllm_meter import Step
from gpu_worker.engines.vllm_vocabulary import HuggingFaceVocabulary
from gpu_worker.errors import WorkerError
from gpu_worker.estimates import Cost, dense_parameters

ENVIRONMENT: Final[Mapping[str, str]] = {
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",  # stdout says when the worker is ready, and nothing else
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_DO_NOT_TRACK": "1",
}
"""Set, where the environment does not, before vLLM is imported: it and its processes read them."""
SPAWN: Final = "VLLM_WORKER_MULTIPROC_METHOD"
"""Set to spawn in versions that know it: this process has threads, so a fork of it could hang."""
BITS: Final[Mapping[str, int]] = {
    "awq": 4,
    "awq_marlin": 4,
    "gptq": 4,
    "gptq_marlin": 4,
    "bitsandbytes": 4,
    "fp8": 8,
    "int8": 8,
    "experts_int8": 8,
}
"""Bits of a weight by vLLM's name of the quantisation; without one 16."""
BYTE_BITS: Final = 8


class VllmApi:
    """vLLM, imported. Raises WorkerError when it is not installed or does not load."""

    def __init__(self) -> None:
        for name, value in ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        try:
            if SPAWN in getattr(importlib.import_module("vllm.envs"), "environment_variables", {}):
                os.environ.setdefault(SPAWN, "spawn")
            self._vllm = importlib.import_module("vllm")
            self._arg_utils = importlib.import_module("vllm.engine.arg_utils")
            self._async_llm = importlib.import_module("vllm.v1.engine.async_llm")
            self._loggers = importlib.import_module("vllm.v1.metrics.loggers")
            self._platforms = importlib.import_module("vllm.platforms")
            self._lora = importlib.import_module("vllm.lora.request")
            self._sampling = importlib.import_module("vllm.sampling_params")
        except ModuleNotFoundError as error:
            if error.name is not None and error.name.split(".")[0] == "vllm":
                raise WorkerError(
                    "The vllm engine needs vLLM 0.20 to 0.33, which is not installed: pip install 'foretype[vllm]' on "
                    "a machine with a GPU (scripts/setup_vllm_cpu.sh makes an environment for a CPU)."
                ) from None
            raise WorkerError(f"vLLM does not load: {error.name} is not installed. Install vLLM again.") from None
        except (ImportError, OSError, RuntimeError) as error:
            raise WorkerError(f"vLLM does not load ({error}): install the build for this machine's driver.") from None
        self.version: Final[str] = str(self._vllm.__version__)

    @property
    def on_cpu(self) -> bool:
        """Whether this is the build for CPUs."""
        return bool(self._platforms.current_platform.is_cpu())

    @property
    def device(self) -> str:
        """The accelerator's name as its driver gives it."""
        try:
            return str(self._platforms.current_platform.get_device_name())
        except (NotImplementedError, RuntimeError, AssertionError, OSError):
            return ""

    @property
    def engine_fields(self) -> frozenset[str]:
        """The names of the engine arguments that this version has."""
        return frozenset(field.name for field in dataclasses.fields(self._arg_utils.AsyncEngineArgs))

    def longest(self, model: str, *, trust_remote_code: bool) -> int:
        """The model's own context length in tokens, 0 if it does not say. Raises whatever reading it raises."""
        config = _transformers().AutoConfig.from_pretrained(model, trust_remote_code=trust_remote_code)
        text = config.get_text_config()
        return int(getattr(text, "max_position_embeddings", 0) or 0)

    def vocabulary(self, tokenizer: str, *, trust_remote_code: bool) -> HuggingFaceVocabulary:
        """The model's tokenizer. Raises WorkerError if it has none that can be used."""
        loaded = _transformers().AutoTokenizer.from_pretrained(tokenizer, trust_remote_code=trust_remote_code)
        backend = getattr(loaded, "backend_tokenizer", None)
        if backend is None:
            raise WorkerError(
                f"{tokenizer} has no fast tokenizer (tokenizer.json): convert it with Transformers, or choose another "
                "model."
            )
        begins = next(iter(loaded("a", add_special_tokens=True)["input_ids"]))
        return HuggingFaceVocabulary(
            type(backend).from_str(backend.to_str()),
            bos=int(begins) if begins == loaded.bos_token_id else None,
            specials=(int(id) for id, token in backend.get_added_tokens_decoder().items() if token.special),
        )

    def engine(self, arguments: Mapping[str, Any], on_step: Callable[[Step], None]) -> Any:
        """An AsyncLLM, loaded: blocks for half a minute and more. Raises what vLLM raises."""
        base = self._loggers.StatLoggerBase

        class StepLogger(base):  # type: ignore[misc, valid-type]
            """Gives every step's numbers to the meter."""

            def __init__(self, *_: Any, **__: Any) -> None:
                pass

            def record(self, scheduler_stats: Any = None, iteration_stats: Any = None, *_: Any, **__: Any) -> None:
                if scheduler_stats is not None:
                    on_step(_step(scheduler_stats, iteration_stats))

            def log_engine_initialized(self) -> None:
                pass

        args = self._arg_utils.AsyncEngineArgs(**arguments)
        return self._async_llm.AsyncLLM.from_engine_args(args, stat_loggers=[StepLogger])

    def sampling(self, *, max_tokens: int, stop_token_ids: list[int]) -> Any:
        """Greedy, new text only with each output, with the chosen tokens' log-probabilities."""
        return self._sampling.SamplingParams(
            temperature=0.0,
            max_tokens=max_tokens,
            logprobs=0,
            stop_token_ids=stop_token_ids,
            output_kind=self._sampling.RequestOutputKind.DELTA,
        )

    def prompt(self, tokens: list[int], cache_salt: str) -> Any:
        """A prompt of token ids; what is computed under one salt is never reused under another."""
        prompt: dict[str, Any] = {"prompt_token_ids": tokens}
        if cache_salt:
            prompt["cache_salt"] = cache_salt
        return prompt

    def adapter(self, name: str, number: int, folder: str) -> Any:
        """A LoRA adapter; `number` is unique to it, from 1."""
        return self._lora.LoRARequest(name, number, folder)

    def cost(self, llm: Any) -> Cost:
        """What the model costs, as far as its configuration tells: dense Llama-like models, zeros for others."""
        model = llm.vllm_config.model_config
        config = getattr(model, "hf_text_config", None)
        layers, width = getattr(config, "num_hidden_layers", 0), getattr(config, "hidden_size", 0)
        heads, feed_forward = getattr(config, "num_attention_heads", 0), getattr(config, "intermediate_size", 0)
        experts = getattr(config, "num_local_experts", 0) or getattr(config, "num_experts", 0)
        if not (layers and width and heads and feed_forward) or experts:
            return Cost()
        kv_heads = getattr(config, "num_key_value_heads", None) or heads
        head_width = getattr(config, "head_dim", None) or width // heads
        parameters = dense_parameters(
            layers=layers,
            width=width,
            heads=heads,
            kv_heads=kv_heads,
            head_width=head_width,
            feed_forward=feed_forward,
            vocabulary=getattr(config, "vocab_size", 0),
            tied=bool(getattr(config, "tie_word_embeddings", False)),
        )
        bytes_per_number = getattr(getattr(model, "dtype", None), "itemsize", 2)
        quantisation = str(getattr(model, "quantization", "") or "")
        weight = BITS.get(quantisation, bytes_per_number * BYTE_BITS) / BYTE_BITS
        kv_type = str(getattr(llm.vllm_config.cache_config, "cache_dtype", "auto"))
        kv_bytes = 1 if "8" in kv_type else bytes_per_number
        return Cost(parameters, parameters * weight, 2.0 * layers * kv_heads * head_width * kv_bytes)

    def kv_tokens(self, llm: Any) -> int:
        """How many tokens the KV cache holds; 0 if the version does not say."""
        cache = llm.vllm_config.cache_config
        return int(getattr(cache, "num_gpu_blocks", 0) or 0) * int(getattr(cache, "block_size", 0) or 0)


def prometheus_text() -> bytes:
    """vLLM's own metrics, which it registers with the process's default registry; no other's."""
    from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
    from prometheus_client.registry import Collector

    class Vllm(Collector):
        """Those of the default registry whose name begins with vllm."""

        def collect(self) -> Any:
            return (family for family in REGISTRY.collect() if family.name.startswith("vllm:"))

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Vllm())
    return generate_latest(registry)


def model_name(model: str) -> str:
    """What to call it on the wire: a folder's name, or the hub's name whole."""
    path = Path(model).expanduser()
    return path.resolve().name if path.is_dir() else model


def _transformers() -> ModuleType:
    return importlib.import_module("transformers")


def _step(scheduler: Any, iteration: Any) -> Step:
    prompts = getattr(iteration, "prompt_token_stats", None)
    evaluated: Any = getattr(prompts, "computed", None)
    if evaluated is None:  # before vLLM told reused prompt tokens from evaluated ones
        evaluated = getattr(iteration, "num_prompt_tokens", 0)
    return Step(
        running=int(scheduler.num_running_reqs),
        waiting=int(scheduler.num_waiting_reqs),
        kv_use=float(scheduler.kv_cache_usage),
        generated=int(getattr(iteration, "num_generation_tokens", 0)),
        evaluated=int(evaluated),
    )
