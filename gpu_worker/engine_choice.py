"""From settings to an engine, not started; each engine's packages are imported only when it is asked for."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gpu_worker.engines.base import Engine
from gpu_worker.errors import WorkerError
from gpu_worker.files import read_text
from gpu_worker.models import STARTER
from gpu_worker.worker_file import WorkerFile

ENGINES = ("llama", "openai", "vllm")
SPIN_COUNT = "1000"
"""How long a thread of libgomp turns round before it sleeps. By default so long that beside another program, two
threads wait for each other's time slices (1,000 tokens of prefill: 2.6 s, with this 0.4 to 0.5)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The command line's settings, as they were given, and the settings file's."""

    engine: str
    model: str | None = None
    parallel: int | None = None
    context: int = 0
    file: WorkerFile = field(default_factory=WorkerFile)
    threads: int = 0
    gpu_layers: int = 0
    mmap: bool = True
    url: str | None = None
    api_key_file: Path | None = None
    fim: Literal["auto", "prompt", "suffix"] = "auto"
    fim_family: str = ""
    logprobs: bool = True
    preset: str = ""


def choose(choice: Choice) -> Engine:
    """The engine asked for. Raises WorkerError."""
    if choice.engine != "vllm" and (choice.preset or choice.file.preset or choice.file.vllm or choice.file.adapters):
        raise WorkerError(f"The {choice.engine} engine takes no preset, [vllm] or [adapters]: use --engine vllm.")
    if choice.engine == "llama":
        return _llama(choice)
    if choice.engine == "openai":
        return _openai(choice)
    if choice.engine == "vllm":
        return _vllm(choice)
    raise WorkerError(f"There is no engine {choice.engine!r}: choose llama, openai or vllm.")


def _model(choice: Choice) -> str:
    """The model's name from one of its two places, empty for none. Raises WorkerError."""
    if choice.model and choice.file.model:
        raise WorkerError("The model is named by --model and by the settings file's [worker] model: give it once.")
    return choice.model or choice.file.model


def _llama(choice: Choice) -> Engine:
    try:
        # Read by OpenMP's library when llama.cpp loads it.
        os.environ.setdefault("GOMP_SPINCOUNT", SPIN_COUNT)
        from gpu_worker.engines.llama_engine import DEFAULT_PARALLEL, LlamaEngine, LlamaOptions
    except ImportError as error:
        raise WorkerError(
            f"The llama engine needs {error.name or 'llama-cpp-python'}, which is not installed: "
            "pip install 'foretype[local]' (it compiles llama.cpp, some minutes), or use --engine openai."
        ) from None
    except (OSError, RuntimeError) as error:
        raise WorkerError(f"llama.cpp's library does not load ({error}): reinstall llama-cpp-python.") from None
    return LlamaEngine(
        LlamaOptions(
            model=_model(choice) or STARTER,
            parallel=choice.parallel or DEFAULT_PARALLEL,
            context=choice.context,
            threads=choice.threads,
            gpu_layers=choice.gpu_layers,
            mmap=choice.mmap,
        )
    )


def _openai(choice: Choice) -> Engine:
    from gpu_worker.engines.openai_engine import DEFAULT_PARALLEL, OpenAiEngine, OpenAiOptions

    if not choice.url:
        raise WorkerError("The openai engine needs --url, such as --url http://127.0.0.1:8000/v1.")
    if not choice.url.startswith(("http://", "https://")):
        raise WorkerError(f"--url {choice.url} is not understood: it begins with http:// or https://.")
    key = read_text(choice.api_key_file).strip() if choice.api_key_file else os.environ.get("OPENAI_API_KEY", "")
    return OpenAiEngine(
        OpenAiOptions(
            url=choice.url,
            model=_model(choice),
            api_key=key,
            fim=choice.fim,
            family=choice.fim_family,
            context=choice.context,
            parallel=choice.parallel or DEFAULT_PARALLEL,
            logprobs=choice.logprobs,
        )
    )


def _vllm(choice: Choice) -> Engine:
    from gpu_worker.engines.vllm_engine import VllmEngine
    from gpu_worker.engines.vllm_options import VllmOptions

    model = _model(choice)
    if model in ("", STARTER) or model.endswith(".gguf"):
        raise WorkerError(
            f"The vllm engine cannot read {model or 'the default model, the starter'}, which is a GGUF file: give a "
            "folder with config.json and safetensors, or a name on the Hugging Face hub (--model). The starter as such "
            "a folder: python -m training.unpack --out FOLDER, then --model FOLDER/safetensors."
        )
    if model.startswith(("/", "./", "../", "~")) and not Path(model).expanduser().is_dir():
        raise WorkerError(
            f"There is no folder {model}: --model wants one with config.json, weights and tokenizer.json."
        )
    if choice.preset and choice.file.preset and choice.preset != choice.file.preset:
        raise WorkerError("The preset is named by --preset and by the settings file's [worker] preset: give it once.")
    return VllmEngine(
        VllmOptions(
            model=str(Path(model).expanduser()) if model.startswith("~") else model,
            preset=choice.preset or choice.file.preset,
            engine=choice.file.vllm,
            adapters=choice.file.adapters,
            parallel=choice.parallel or 0,
            context=choice.context,
            peak_tflops=choice.file.peak_tflops,
            memory_gb_per_s=choice.file.memory_gb_per_s,
        )
    )
