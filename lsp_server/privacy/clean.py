"""`foretype-lsp clean`: removes what Foretype keeps on this machine: pulled models, logs, what dead workers left."""

from __future__ import annotations

import argparse
import contextlib
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import Timeout

from lsp_server.logs import LOG_NAME
from lsp_server.models.errors import ModelError
from lsp_server.models.store import Store
from lsp_server.paths import UnsafeFolderError, runtime_dir, state_dir

PROBE_S: Final = 0.5
"""For a connection to a worker's socket on this machine."""
_MIB: Final = 1_048_576


@dataclass(frozen=True, slots=True)
class Found:
    """Something to remove: a model by its name, or a file."""

    what: str
    bytes: int
    path: Path
    model: str = ""


def run(argv: list[str]) -> int:
    """Remove it, after asking; the process's exit code."""
    parser = argparse.ArgumentParser(
        prog="foretype-lsp clean",
        description="Remove pulled models, logs and what workers that ended left behind. "
        "Settings, statistics and the starter model stay.",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--keep-models", action="store_true", help="leave the pulled models")
    options = parser.parse_args(argv)
    found, live = look(keep_models=options.keep_models)
    for each in found:
        print(f"{each.what:<10} {_size(each.bytes):>12}  {each.path}")
    if not found:
        print("There is nothing to remove.")
        return 0
    print(f"{len(found)} to remove, {_size(sum(each.bytes for each in found))}.")
    for sentence in _warnings(found, live):
        print(sentence)
    if not options.yes and not _agreed():
        print("Nothing was removed.")
        return 1
    failures = [problem for each in found if (problem := remove(each)) is not None]
    for problem in failures:
        print(f"foretype-lsp clean: {problem}", file=sys.stderr)
    print(f"{len(found) - len(failures)} removed.")
    return 1 if failures else 0


def look(*, keep_models: bool) -> tuple[list[Found], list[Path]]:
    """What there is to remove, and the sockets of workers that run. Raises UnsafeFolderError."""
    found = [] if keep_models else list(_models(Store.of_user()))
    found += _logs(state_dir())
    with contextlib.suppress(UnsafeFolderError):
        live, dead = _workers(runtime_dir())
        return [*found, *dead], live
    return found, []


def _models(store: Store) -> Iterator[Found]:
    for record in store.all():
        yield Found("model", record.bytes, store.folder / record.name, record.name)
    for name, size in store.unfinished():
        yield Found("download", size, store.folder / name, name)


def _logs(folder: Path) -> Iterator[Found]:
    """Our own logs by their names, and nothing else that lies in the folder; never through a link."""
    for pattern in (LOG_NAME, f"{LOG_NAME}.[0-9]", "worker-*.log"):
        for file in sorted(folder.glob(pattern)):
            if file.is_file() and not file.is_symlink():
                yield Found("log", file.stat().st_size, file)


def _workers(folder: Path) -> tuple[list[Path], list[Found]]:
    """Sockets of workers that run, and what those that do not left."""
    live, dead = [], []
    for path in sorted(folder.glob("w-*.sock")):
        if _answers(path):
            live.append(path)
            continue
        for file in (path, path.with_suffix(".lock"), path.with_suffix(".json"), path.with_suffix(".token")):
            if file.exists() or file.is_socket():
                dead.append(Found("leftover", file.lstat().st_size, file))
    return live, dead


def _answers(path: Path) -> bool:
    if sys.platform == "win32":
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(PROBE_S)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _warnings(found: list[Found], live: list[Path]) -> Iterator[str]:
    if live:
        yield (
            f"{len(live)} local model{'s run' if len(live) > 1 else ' runs'} now and goes on until its last editor "
            "has left for a minute; what it uses of the disk is free after that."
        )
    if any(each.what == "log" for each in found):
        yield "Editors that run write to their log until they are restarted: close them first to have it empty."


def _agreed() -> bool:
    if not sys.stdin.isatty():
        print("There is no terminal to ask on: say --yes.")
        return False
    return input("Remove them? [y/N] ").strip().lower() in ("y", "yes")


def remove(each: Found) -> str | None:
    """Remove one; why it could not be, as a sentence."""
    try:
        if not each.model:
            each.path.unlink(missing_ok=True)
            return None
        store = Store.of_user()
        with store.lock(each.model).acquire(timeout=0):
            store.remove(each.model)
    except Timeout:
        return f"{each.model} is being pulled right now: it stays."
    except ModelError as error:
        return str(error)
    except OSError as error:
        return f"{each.path} cannot be removed ({error.strerror or error}): close the programs that use it."
    return None


def _size(count: int) -> str:
    return f"{count / _MIB:,.1f} MiB" if count >= _MIB else f"{count / 1024:,.1f} KiB"
