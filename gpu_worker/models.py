"""Which file `--model` means, and whether it fits in memory, before it is loaded."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

import psutil

from gpu_worker.errors import WorkerError

STARTER = "starter"
STARTER_FILE = "starter-q4_0.gguf"
GGUF_MAGIC = b"GGUF"
KV_BYTES = 2
"""Bytes of one key or value number: the cache is f16."""
COMPUTE_BYTES = 64 * 1_048_576
"""llama.cpp's own buffers beside weights and cache, generously."""
GIB = 2**30


def resolve(model: str) -> Path:
    """The GGUF file that `model` names: `starter`, or a path. Raises WorkerError."""
    if model == STARTER:
        path = Path(str(resources.files("gpu_worker") / "starter" / STARTER_FILE))
        if not path.is_file():
            raise WorkerError(
                f"The starter model is not in this installation ({path} is missing): install foretype again, "
                "or give a GGUF file with --model PATH."
            )
        return path
    path = Path(model).expanduser()
    if path.is_dir():
        raise WorkerError(f"{path} is a folder: the llama engine wants one GGUF file (--model PATH).")
    if not path.exists():
        raise WorkerError(f"There is no model file {path}: give the path of a GGUF file, or --model {STARTER}.")
    try:
        with path.open("rb") as file:
            magic = file.read(len(GGUF_MAGIC))
    except OSError as error:
        raise WorkerError(f"The model file {path} cannot be read ({error.strerror}): check its permissions.") from None
    if magic != GGUF_MAGIC:
        raise WorkerError(f"{path} is not a GGUF file (it does not begin with GGUF): download or convert it again.")
    return path


def name_of(model: str, path: Path) -> str:
    """What to call the model on the wire: `starter`, or the file's name without its ending."""
    return STARTER if model == STARTER else path.stem


def kv_bytes(*, layers: int, kv_width: int, tokens: int) -> int:
    """Size of a KV cache of `tokens` tokens, for keys and values `kv_width` numbers wide in each layer."""
    return 2 * layers * kv_width * tokens * KV_BYTES


def require_memory(path: Path, cache_bytes: int, available: int | None = None) -> None:
    """Raise WorkerError if file, cache and buffers exceed the memory available (bytes; None asks the system)."""
    free = psutil.virtual_memory().available if available is None else available
    needed = os.path.getsize(path) + cache_bytes + COMPUTE_BYTES
    if needed > free:
        raise WorkerError(
            f"{path.name} needs about {needed / GIB:.1f} GiB ({cache_bytes / GIB:.1f} of it for the KV cache) and "
            f"{free / GIB:.1f} are free: choose a smaller model, or lower --context or --parallel."
        )
