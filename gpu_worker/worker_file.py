"""The worker's settings file (`--engine-config worker.toml`): read and checked, not yet applied."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gpu_worker.errors import WorkerError
from gpu_worker.files import read_text

WORKER_KEYS = ("model", "preset")
HARDWARE_KEYS = ("peak_tflops", "memory_gb_per_s")


@dataclass(frozen=True, slots=True)
class WorkerFile:
    """What a settings file says.

    `vllm` are engine arguments as given, not yet compared with those of the vLLM that is installed. `adapters` maps
    the names that requests use to folders. `peak_tflops` (10^12 operations a second, dense, in the weights' type) and
    `memory_gb_per_s` (10^9 bytes a second) describe the accelerator; zero: not said.
    """

    model: str = ""
    preset: str = ""
    vllm: Mapping[str, Any] = field(default_factory=dict)
    adapters: Mapping[str, str] = field(default_factory=dict)
    peak_tflops: float = 0.0
    memory_gb_per_s: float = 0.0


def read(path: Path) -> WorkerFile:
    """The file's settings. Raises WorkerError, with the table and key at fault."""
    try:
        tables = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise WorkerError(f"The settings file {path} is not TOML: {error}.") from None
    known = ("worker", "vllm", "adapters", "hardware")
    for name, table in tables.items():
        if name not in known:
            raise WorkerError(f"{path}: there is no table [{name}]{suggestion(name, known)}.")
        if not isinstance(table, dict):
            raise WorkerError(f"{path}: {name} is a table: write [{name}] and its keys below.")
    worker = _checked(path, "worker", tables.get("worker", {}), WORKER_KEYS, str)
    hardware = _checked(path, "hardware", tables.get("hardware", {}), HARDWARE_KEYS, (int, float))
    adapters = _checked(path, "adapters", tables.get("adapters", {}), None, str)
    return WorkerFile(
        model=worker.get("model", ""),
        preset=worker.get("preset", ""),
        vllm=tables.get("vllm", {}),
        adapters={name: _beside(path, folder) for name, folder in adapters.items()},
        peak_tflops=float(hardware.get("peak_tflops", 0.0)),
        memory_gb_per_s=float(hardware.get("memory_gb_per_s", 0.0)),
    )


def suggestion(name: str, known: Iterable[str]) -> str:
    """`: did you mean X?` where something is near, else what there is, if that is little."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f": did you mean {near[0]}?"
    return f" (there are {', '.join(names)})" if len(names) <= 8 else ""


def _checked(
    path: Path, table: str, values: Mapping[str, Any], known: Iterable[str] | None, kind: type | tuple[type, ...]
) -> Mapping[str, Any]:
    for key, value in values.items():
        if known is not None and key not in known:
            raise WorkerError(f"{path}: [{table}] has no setting {key!r}{suggestion(key, known)}.")
        if not isinstance(value, kind) or isinstance(value, bool):
            wanted = "a text" if kind is str else "a number"
            raise WorkerError(f"{path}: [{table}] {key} must be {wanted}, not {value!r}.")
    return values


def _beside(path: Path, folder: str) -> str:
    """A relative folder is relative to the file; what is no folder there is left, for it may be a hub's name."""
    here = path.parent / Path(folder).expanduser()
    return str(here) if here.is_dir() else folder
