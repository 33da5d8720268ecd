"""What vLLM's exceptions mean to a person, and to a request; pure.

vLLM's exception classes differ by version (0.20 has few of its own), so they are told by name and by text.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from wire_protocol.frames import DoneReason

OVERLOADED = frozenset({"QueueOverflowError", "MaxQueuedTokensError"})
DEAD = frozenset({"EngineDeadError"})
INVALID = frozenset({"VLLMClientError", "VLLMValidationError", "LoRAAdapterNotFoundError", "ValueError"})
MAX_DETAIL = 300
"""Characters of vLLM's own words in a sentence."""


class _Cause(NamedTuple):
    pattern: re.Pattern[str]
    sentence: str


def _cause(pattern: str, sentence: str) -> _Cause:
    return _Cause(re.compile(pattern, re.IGNORECASE), sentence)


CAUSES = (
    _cause(
        r"greater than the derived max_model_len",
        "The context asked for is longer than the model's own: lower --context, or [vllm] max_model_len.",
    ),
    _cause(
        r"larger than the (?:available KV cache|maximum number of tokens that can be stored)",
        "The KV cache has no room for one request of full length: lower --context, or give vLLM more memory "
        "([vllm] gpu_memory_utilization; on a CPU the environment's VLLM_CPU_KVCACHE_SPACE, in GiB).",
    ),
    _cause(
        r"no available memory for the cache blocks|out of memory|OutOfMemoryError|free memory on device"
        r"|cannot allocate memory|not enough memory|insufficient (?:cpu )?memory|available memory.*less than",
        "There is not enough memory: choose a smaller or a quantised model, lower [vllm] gpu_memory_utilization if "
        "other programs use the device, or on a CPU VLLM_CPU_KVCACHE_SPACE (GiB).",
    ),
    _cause(
        r"repo id must|not a valid model identifier|is not a local folder|can't load the configuration"
        r"|RepositoryNotFound|couldn't connect to|LocalEntryNotFound|invalid repository id|no such file or directory"
        r"|cannot find any model weights|unrecognized model|does not appear to have a file named config",
        "There is no such model: give a folder with config.json, the weights and tokenizer.json, or a model's name on "
        "the Hugging Face hub (offline, only what was downloaded before is found).",
    ),
    _cause(
        r"model architectures? .* (?:not supported|failed)|not supported for now",
        "This vLLM cannot run a model of that architecture: choose another, or another version of vLLM.",
    ),
    _cause(
        r"arctic.inference",
        "Suffix speculation needs the package arctic-inference, which is not installed.",
    ),
)


def cause_of(text: str) -> str:
    """The sentence for what vLLM wrote, or empty if nothing is known of it."""
    return next((cause.sentence for cause in CAUSES if cause.pattern.search(text)), "")


def explain_start(model: str, error: BaseException, log: str) -> str:
    """Why vLLM did not start: `log` is what its own process wrote, whose last errors are the root."""
    texts: list[str] = []
    chain: BaseException | None = error
    while chain is not None:
        texts.append(f"{type(chain).__name__}: {chain}")
        chain = chain.__cause__ or chain.__context__
    known = cause_of("\n".join(texts)) or cause_of("\n".join(_errors_in(log)))
    if known:
        return f"vLLM cannot start {model}. {known}"
    detail = next(iter(reversed(_errors_in(log))), "") or texts[0]
    return f"vLLM cannot start {model}: {_short(detail)}"


def explain_request(error: BaseException) -> tuple[DoneReason, str]:
    """How a request ends that vLLM refused or failed: `shed` where another worker may take it, else `error`."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & OVERLOADED:
        return "shed", "vLLM's own queue is full: send requests elsewhere, or later."
    if is_dead(error):
        return "shed", "vLLM's engine process died: send requests elsewhere until it is back."
    if names & INVALID:
        return "error", f"vLLM refuses this request: {_short(str(error))}"
    cause = error.__cause__
    detail = f"{type(cause or error).__name__}: {cause or error}"
    return "error", f"vLLM failed on this request ({_short(detail)})."


def is_dead(error: BaseException) -> bool:
    """Whether the engine process is gone for good."""
    return bool({kind.__name__ for kind in type(error).__mro__} & DEAD)


def _errors_in(log: str) -> list[str]:
    """The lines that name an exception, without logging's and the process's prefixes."""
    found = re.findall(r"(?:^|\s)((?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception): .+)$", log, re.MULTILINE)
    return [line for line in found if "Engine core initialization failed" not in line]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_DETAIL else f"{line[:MAX_DETAIL]}…"
