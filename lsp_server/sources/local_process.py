"""The local worker's process: its model and command, its start apart from this process, its log, and what it needs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from lsp_server.models import catalogue, memory
from lsp_server.models.names import STARTER, is_path
from lsp_server.models.store import Record, Store

STARTER_FILE: Final = Path("starter") / "starter-q4_0.gguf"
IDLE_EXIT_S: Final = 60
"""The worker leaves this long after its last connection closed (DESIGN.md section 5)."""
MAX_LOG_BYTES: Final = 1_048_576
"""A worker's log larger than this is begun anew when the worker is started."""
_TAIL_BYTES: Final = 4_096
_MAX_LINE: Final = 300
_WITHHELD: Final = ("FORETYPE_EDGE_TOKEN", "FORETYPE_EDGE_PROXY")
"""Environment variables that the worker has no business with."""
_WINDOWS_DETACHED: Final = 0x00000008 | 0x00000200 | 0x08000000
"""DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW (winbase.h); subprocess has them on Windows only."""


def model_file(model: str, environ: Mapping[str, str] | None = None) -> Path | None:
    """The GGUF file that `model` means: the one that ships for `starter`, a path, or a name in the model store.

    None if it is not installed; a path is returned whether or not there is a file.
    """
    if is_path(model):
        return Path(model).expanduser().absolute()
    if model != STARTER:
        record = _pulled(model, environ)
        return None if record is None else Store.of_user(environ).file(record)
    spec = find_spec("gpu_worker")  # found, not imported: the programs are independent
    for folder in (spec.submodule_search_locations or []) if spec is not None else []:
        if (file := Path(folder) / STARTER_FILE).is_file():
            return file
    return None


def _pulled(model: str, environ: Mapping[str, str] | None) -> Record | None:
    return None if is_path(model) or model == STARTER else Store.of_user(environ).find(model)


def missing(model: str, environ: Mapping[str, str] | None = None) -> str | None:
    """What keeps the local model from being started, as a sentence that says what to do; None if nothing does."""
    file = model_file(model, environ)
    if find_spec("gpu_worker") is None:
        return "The local worker (package gpu_worker) is not installed: pip install 'foretype[local]'."
    if file is None and model == STARTER:
        return (
            "The starter model is not in this installation: install foretype again, or set local.model to a GGUF file."
        )
    if file is None:
        return _unknown(model)
    if not file.is_file():
        return f"There is no model file {file}: set local.model to the path of a GGUF file, or to `{STARTER}`."
    if not os.access(file, os.R_OK):
        return f"The model file {file} cannot be read: check its permissions."
    record = _pulled(model, environ)
    if record is not None and file.stat().st_size != record.bytes:
        return f"The file of the model {model} is damaged: `foretype-lsp models pull` it again ({file})."
    if find_spec("llama_cpp") is None:
        return "llama-cpp-python is not installed: pip install 'foretype[local]', or set local.enabled to false."
    return None


def _unknown(model: str) -> str:
    known = catalogue.load().find(model)
    get = f"`foretype-lsp models pull {known.name}` downloads it" if known is not None else "`pull` downloads others"
    return (
        f"There is no model `{model}` on this machine: `foretype-lsp models list` shows those there are, and {get}; or "
        f"set local.model to a GGUF file or to `{STARTER}`."
    )


def too_large(model: str, environ: Mapping[str, str] | None = None) -> str | None:
    """Why a pulled model does not fit in memory now, as a sentence; None if it does, or only the worker can tell."""
    record = _pulled(model, environ)
    return None if record is None else memory.too_large(model, record.shape, memory.this_machine())


def worker_command(model: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """The command that hosts `model`, without its address. A pulled model gets only the memory one person needs."""
    name = model if model == STARTER else str(model_file(model, environ) or model)
    command = [
        sys.executable,
        *("-m", "gpu_worker", "--engine", "llama", "--model", name, "--idle-exit", str(IDLE_EXIT_S)),
    ]
    if (record := _pulled(model, environ)) is not None:
        context = memory.context_for(record.context_tokens)
        command += ["--parallel", str(memory.LOCAL_PARALLEL), "--context", str(context)]
    return command


class LocalProcess:
    """A worker that this process started; it outlives it on purpose, and leaves by itself when nobody needs it."""

    def __init__(self, process: subprocess.Popen[bytes], log_file: Path) -> None:
        self._process = process
        self.log_file: Final = log_file

    @classmethod
    def start(cls, command: Sequence[str], log_file: Path, environ: Mapping[str, str] | None = None) -> LocalProcess:
        """Start `command` in a session of its own, so that closing the editor does not end it. Raises OSError.

        Its working folder is the log's, never a project: `python -m` would import from there.
        """
        environ = os.environ if environ is None else environ
        fresh = not log_file.exists() or log_file.stat().st_size > MAX_LOG_BYTES
        with log_file.open("wb" if fresh else "ab") as output:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=log_file.parent,
                env={name: value for name, value in environ.items() if name not in _WITHHELD},
                start_new_session=True,
                creationflags=_WINDOWS_DETACHED if sys.platform == "win32" else 0,
            )
        return cls(process, log_file)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def exit_status(self) -> int | None:
        """Its exit status once it has ended (negative: the signal that killed it); None while it runs."""
        return self._process.poll()

    def last_words(self) -> str:
        """The last line of its log, shortened; empty if there is none."""
        return last_line(self.log_file)

    def release(self) -> None:
        """Let it run on without this process."""
        if self._process.poll() is None:
            # subprocess warns of every child that is still running when its object goes; this one is meant to.
            self._process.returncode = 0


def last_line(file: Path) -> str:
    """The last line of a log that is not blank, shortened; empty if there is none."""
    try:
        with file.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(0, size - _TAIL_BYTES))
            text = log.read(_TAIL_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:_MAX_LINE] if lines else ""
