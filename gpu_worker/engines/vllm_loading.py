"""vLLM with a model, from its settings to a running engine and away again; what blocks is one call for a thread."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gpu_worker.engines.stderr_tail import StderrTail
from gpu_worker.engines.vllm_api import VllmApi, model_name
from gpu_worker.engines.vllm_errors import explain_start
from gpu_worker.engines.vllm_meter import Meter
from gpu_worker.engines.vllm_options import VllmOptions, capacity_of, engine_arguments
from gpu_worker.engines.vllm_vocabulary import HuggingFaceVocabulary
from gpu_worker.errors import WorkerError
from gpu_worker.estimates import GIGA, TERA, Device, device_named
from gpu_worker.prompt import PromptBuilder
from wire_protocol.frames import ModelInfo

log = logging.getLogger(__name__)

LAST_WORDS_SECONDS = 1.0
"""How long the error output of an engine process that could not start is waited for."""
SHUTDOWN_SECONDS = 0.5
"""vLLM asks its processes with SIGTERM, which they do not take (see below), waits so long, and kills them."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A running vLLM and what was learnt of it."""

    llm: Any
    builder: PromptBuilder
    vocabulary: HuggingFaceVocabulary
    model: ModelInfo
    capacity: int
    prioritised: bool


def load(api: VllmApi, options: VllmOptions, meter: Meter, told_to_stop: Callable[[], bool]) -> Loaded:
    """Start vLLM; its steps go to `meter`. Blocks for half a minute and more. Raises WorkerError."""
    tail = StderrTail()
    try:
        with tail:
            trust = bool(options.engine.get("trust_remote_code", False))
            tokenizer = str(options.engine.get("tokenizer") or options.model)
            vocabulary = api.vocabulary(tokenizer, trust_remote_code=trust)
            arguments = engine_arguments(
                options,
                api.engine_fields,
                on_cpu=api.on_cpu,
                longest=api.longest(options.model, trust_remote_code=trust),
                version=api.version,
            )
            if told_to_stop():
                raise WorkerError("The worker was told to stop.")
            with _signals_are_ours():
                llm = api.engine(arguments, meter.step)
    except WorkerError:
        raise
    except Exception as error:  # of vLLM, PyTorch, Transformers, the driver: whatever it is, it is told in words
        log.debug("vLLM did not start", exc_info=True)
        raise WorkerError(explain_start(options.model, error, tail.text(LAST_WORDS_SECONDS))) from None
    try:
        return _loaded(api, options, meter, llm, vocabulary, arguments)
    except Exception as error:  # of another version than was tried: its processes must not stay
        log.debug("vLLM started, but is not as expected", exc_info=True)
        with contextlib.suppress(Exception):
            llm.shutdown(timeout=SHUTDOWN_SECONDS)
        raise WorkerError(explain_start(options.model, error, "")) from None


def _loaded(
    api: VllmApi,
    options: VllmOptions,
    meter: Meter,
    llm: Any,
    vocabulary: HuggingFaceVocabulary,
    arguments: Mapping[str, Any],
) -> Loaded:
    if vocabulary.fim is None:
        log.warning("%s has no fill-in-the-middle tokens: it only continues what is before the cursor.", options.model)
    context = int(llm.vllm_config.model_config.max_model_len)
    meter.describe(api.cost(llm), _device(api, options), api.kv_tokens(llm))
    served = arguments.get("served_model_name")
    name = served[0] if isinstance(served, list) and served else served
    return Loaded(
        llm=llm,
        builder=PromptBuilder(vocabulary, context),
        vocabulary=vocabulary,
        model=ModelInfo(name=name or model_name(options.model), context_tokens=context),
        capacity=capacity_of(arguments),
        prioritised=arguments.get("scheduling_policy") == "priority",
    )


async def unload(loaded: Loaded) -> None:
    """End vLLM's processes. Raises nothing."""
    reader = getattr(loaded.llm, "output_handler", None)
    if reader is not None:  # else it would log the end of the engine process as a failure
        reader.cancel()
    with contextlib.suppress(Exception):  # it may be half dead: what matters is that it goes
        await asyncio.to_thread(loaded.llm.shutdown, timeout=SHUTDOWN_SECONDS)


def _device(api: VllmApi, options: VllmOptions) -> Device | None:
    if options.peak_tflops or options.memory_gb_per_s:
        return Device(options.peak_tflops * TERA, options.memory_gb_per_s * GIGA)
    return device_named(api.device)


@contextlib.contextmanager
def _signals_are_ours() -> Iterator[None]:
    """Processes started meanwhile never take SIGTERM and SIGINT: a signal to the whole process group (Ctrl-C, systemd)
    would end vLLM's workers in the middle of what this process has promised to finish. They are ended by `unload`.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
