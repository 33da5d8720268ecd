"""What a model needs of this machine: memory to load it, and roughly what time; pure but for `this_machine`.

The times are estimates from one measurement (facts: llama.cpp 0.3.36, Q4_0, two cores with AVX-512, models of
13 to 50 M parameters) carried over to larger models, not measurements of those models.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

LOCAL_PARALLEL: Final = 2
"""Requests at once that the local worker takes with a pulled model: one person's."""
SPARE_SEQUENCES: Final = 4
"""Sequences the worker keeps beside those (`SPARE_SEQUENCES` in gpu_worker/engines/llama_engine.py)."""
LOCAL_CONTEXT: Final = 2_048
"""Tokens of context per request with a pulled model: a CPU reads no more in time, and each costs memory."""
KV_BYTES: Final = 2
"""Bytes of one key or value number (`KV_BYTES` in gpu_worker/models.py)."""
COMPUTE_BYTES: Final = 64 * 1_048_576
"""llama.cpp's buffers (`COMPUTE_BYTES` in gpu_worker/models.py)."""
UNKNOWN_KV_SHARE: Final = 0.35
"""KV cache as a share of the file where a model's shape is not known: the median of those in the catalogue."""
INT4_BYTES: Final = 0.62
"""Bytes a parameter in Q4_K_M with its larger embeddings, where no file size is known."""

FLOPS_PER_CORE: Final = 175e9
"""33 M and 50 M parameters read 1,000 tokens in 188 and 283 ms on two cores: 2 x parameters x tokens / time / cores."""
BYTES_PER_SECOND: Final = 20e9
"""A file of 32.6 MB gave 630 tokens/s: each token reads all weights once."""
MAX_CORES: Final = 8
SMALL_MODEL_BYTES: Final = 200 * 1_048_576
"""The worker's threads: one up to this file size, else the cores up to MAX_CORES (`thread_count` in
gpu_worker/engines/llama_engine.py)."""
NEW_CONTEXT_TOKENS: Final = 1_000
LINE_TOKENS: Final = 10
"""Tokens of an ordinary line's rest."""
PROMISE_MS: Final = 200.0
COLD_LIMIT_MS: Final = 3_000.0
LINE_LIMIT_MS: Final = 500.0
"""Beyond these a suggestion comes after the person has gone on: our judgement, not a measurement."""
GIB: Final = 2**30


@dataclass(frozen=True, slots=True)
class Machine:
    """Memory available now in bytes (None: unknown), and cores this process may use."""

    available_bytes: int | None
    cores: int


@dataclass(frozen=True, slots=True)
class Shape:
    """A model as its memory and time depend on it. Zeros where not known; parameters are those used for one token."""

    file_bytes: int
    parameters: float
    layers: int = 0
    kv_width: int = 0
    context_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """`cold_ms`: first token of 1,000 tokens of new context; `key_ms`: after a key; `line_ms`: a line after a key."""

    need_bytes: int
    cold_ms: float
    key_ms: float
    line_ms: float
    fits: bool

    @property
    def verdict(self) -> str:
        """In a few words."""
        if not self.fits:
            return "does not fit in memory"
        if self.cold_ms + self.line_ms <= PROMISE_MS:
            return "within 200 ms"
        if self.line_ms <= PROMISE_MS:
            return "within 200 ms, once warm"
        return "usable, if you can wait" if self.bearable else "too slow on this CPU"

    @property
    def bearable(self) -> bool:
        """Whether its suggestions come while they are still of use."""
        return self.fits and self.cold_ms <= COLD_LIMIT_MS and self.line_ms <= LINE_LIMIT_MS


def context_for(trained_tokens: int) -> int:
    """The context that the local worker gives a pulled model trained with so many tokens (0: not known)."""
    return min(trained_tokens or LOCAL_CONTEXT, LOCAL_CONTEXT)


def need_bytes(shape: Shape) -> int:
    """Memory to load a pulled model: file, KV cache and buffers, as the worker counts them."""
    tokens = context_for(shape.context_tokens) * (LOCAL_PARALLEL + SPARE_SEQUENCES)
    if shape.layers and shape.kv_width:
        cache = 2 * shape.layers * shape.kv_width * tokens * KV_BYTES
    else:
        cache = int(shape.file_bytes * UNKNOWN_KV_SHARE)
    return shape.file_bytes + cache + COMPUTE_BYTES


def estimate(shape: Shape, machine: Machine) -> Estimate:
    """What `machine` makes of a model."""
    need = need_bytes(shape)
    key_ms = step_ms(shape.file_bytes)
    return Estimate(
        need_bytes=need,
        cold_ms=prefill_ms(shape.parameters, threads_for(shape.file_bytes, machine.cores)),
        key_ms=key_ms,
        line_ms=key_ms * LINE_TOKENS,
        fits=machine.available_bytes is None or need <= machine.available_bytes,
    )


def threads_for(file_bytes: int, cores: int) -> int:
    """Threads that the worker decodes a model of that size with."""
    return 1 if file_bytes <= SMALL_MODEL_BYTES else min(cores, MAX_CORES)


def prefill_ms(parameters: float, threads: int) -> float:
    """Time to read 1,000 tokens of new context, in milliseconds."""
    return 2 * parameters * NEW_CONTEXT_TOKENS / (FLOPS_PER_CORE * threads) * 1_000


def step_ms(file_bytes: int) -> float:
    """Time of one token, in milliseconds."""
    return file_bytes / BYTES_PER_SECOND * 1_000


def too_large(name: str, shape: Shape, machine: Machine) -> str | None:
    """Why the model cannot be loaded now, as a sentence that says what to do; None if it can."""
    need, available = need_bytes(shape), machine.available_bytes
    if available is None or need <= available:
        return None
    return (
        f"The model {name} needs about {need / GIB:.1f} GiB of memory and {available / GIB:.1f} are available: set "
        "local.model to a smaller one (`foretype-lsp models list` says which fit), or close other programs."
    )


def this_machine() -> Machine:
    """Memory available and cores."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    return Machine(_available_bytes(), cores)


def _available_bytes() -> int | None:
    try:
        import psutil  # comes with the worker, not with the language server alone
    except ImportError:
        return None
    return int(psutil.virtual_memory().available)
