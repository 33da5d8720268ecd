"""`foretype-lsp doctor`: checks what suggestions depend on, one line each, with what to do."""

from __future__ import annotations

import argparse
import asyncio
import platform
import shutil
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from lsp_server.models.memory import this_machine
from lsp_server.models.store import Store
from lsp_server.paths import UnsafeFolderError, runtime_dir, state_dir
from lsp_server.printable import printable
from lsp_server.running import servers
from lsp_server.settings import Loaded, Settings, load_settings
from lsp_server.sources.base import Ended, Piece, Source, SourceRequest, SourceUnavailableError, TakesMemory
from lsp_server.sources.build import outward
from lsp_server.sources.edge import OPEN_TIMEOUT_S, EdgeSource
from lsp_server.sources.handshake import OVER_HTTP, DialError
from lsp_server.sources.local import LocalSource
from lsp_server.sources.local_process import missing, model_file
from lsp_server.sources.reach import Reach
from lsp_server.sources.wire import WireClosedError
from lsp_server.version import version
from wire_protocol.frames import Context

Level = Literal["ok", "warn", "fail"]

DEFAULT_TIMEOUT_S: Final = 60.0
"""For the local model's first answer: it may be loaded from a slow disk."""
EDGE_ANSWER_S: Final = 10.0
MIN_PYTHON: Final = (3, 11)
SLOW_MS: Final = 100.0
"""A round trip above this leaves too little of the 200 ms for the model."""
_PINGS: Final = 3
_MIB: Final = 1_048_576

EDITORS: Final = {
    "nvim": "Neovim",
    "code": "Visual Studio Code",
    "codium": "VSCodium",
    "code-server": "code-server",
    "idea": "IntelliJ IDEA",
    "pycharm": "PyCharm",
    "emacs": "Emacs",
    "vim": "Vim",
    "hx": "Helix",
    "zed": "Zed",
    "subl": "Sublime Text",
    "kate": "Kate",
}
"""Programs on the PATH and the editors they start."""

SAMPLE: Final = Context(before="def add(a, b):\n    return ", after="\n", path="sample.py", language="python")
"""What is completed to see whether a source answers: none of the user's code."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    level: Level
    what: str
    do: str = ""

    def __str__(self) -> str:
        return printable(f"{self.level:<4}  {self.what}{f' → {self.do}' if self.do else ''}")


def run(argv: list[str]) -> int:
    """Print the findings; the exit code is 1 if one of them is a failure."""
    parser = argparse.ArgumentParser(
        prog="foretype-lsp doctor", description="Check what suggestions depend on. Exit code 1 if something fails."
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=DEFAULT_TIMEOUT_S,
        metavar="S",
        help="for the local model (default: %(default)g)",
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="show what of this file would be sent where, and end")
    parser.add_argument(
        "--report",
        nargs="?",
        const="",
        metavar="ZIP",
        help="write the findings, versions, settings and logs, without code and secrets, for a bug report",
    )
    options = parser.parse_args(argv)
    if options.file is not None:
        return _explain(Path(options.file), Path.cwd())
    loaded = load_settings()
    findings = asyncio.run(_findings(loaded, options.timeout))
    failed = any(finding.level == "fail" for finding in findings)
    if options.report is not None and not _write(options.report, loaded, findings):
        return 1
    return 1 if failed else 0


async def _findings(loaded: Loaded, timeout_s: float) -> list[Finding]:
    """All findings, each printed as it comes."""
    findings = []
    async for finding in examine(loaded, timeout_s):
        print(finding, flush=True)
        findings.append(finding)
    return findings


def _explain(file: Path, root: Path) -> int:
    from lsp_server.complete_command import BadPlaceError
    from lsp_server.privacy.explain import explain

    try:
        for line in explain(file, root, load_settings(root=root)):
            print(printable(line))
    except BadPlaceError as error:
        print(printable(f"foretype-lsp doctor: {error}"), file=sys.stderr)
        return 2
    return 0


def _write(name: str, loaded: Loaded, findings: list[Finding]) -> bool:
    from lsp_server.privacy.bundle import write_report

    target = Path(name or f"foretype-report-{datetime.now():%Y%m%d-%H%M%S}.zip")
    try:
        files = write_report(target, loaded, [str(finding) for finding in findings])
    except OSError as error:
        print(f"foretype-lsp doctor: {target} cannot be written: {error.strerror or error}.", file=sys.stderr)
        return False
    print(f"\nThe report is {target}. It was sent nowhere. It holds, without code and secrets:")
    for line in files:
        print(f"  {line}")
    return True


async def examine(loaded: Loaded, timeout_s: float) -> AsyncIterator[Finding]:
    """All findings, in the order of the path: installation, settings, edge, local model, editors."""
    settings = loaded.settings
    for finding in (*check_installation(), *check_settings(loaded), *check_folders()):
        yield finding
    async for finding in check_edge(settings):
        yield finding
    async for finding in check_local(settings, timeout_s):
        yield finding
    yield check_editors()
    for finding in check_servers():
        yield finding


def check_servers() -> Iterator[Finding]:
    """The language servers that serve editors now."""
    taken = sorted(servers())
    if taken:
        each = ", ".join(f"{bytes / _MIB:.0f}" for bytes in taken)
        yield Finding("ok", f"{len(taken)} language server{'s run' if len(taken) > 1 else ' runs'}: {each} MiB")


def check_installation() -> Iterator[Finding]:
    """Python and Foretype."""
    python = platform.python_version()
    if sys.version_info < MIN_PYTHON:
        yield Finding("fail", f"Python {python}", f"use Python {MIN_PYTHON[0]}.{MIN_PYTHON[1]} or newer")
    else:
        yield Finding("ok", f"Foretype {version()} on Python {python}, {platform.system()} {platform.machine()}")


def check_settings(loaded: Loaded) -> Iterator[Finding]:
    """What was read, and what was wrong with it."""
    files = ", ".join(str(file) for file in loaded.files) or "no file: defaults and environment"
    yield Finding("ok", f"settings read from {files}")
    for problem in loaded.problems:
        yield Finding("fail" if problem.key == "policy" else "warn", f"settings: {problem}")
    if loaded.policy.files:
        said = "; ".join(loaded.policy.sentences()) or "nothing is forbidden"
        yield Finding("ok", f"administrator's policy {', '.join(loaded.policy.files)}: {said}")
    if not loaded.settings.enabled:
        yield Finding("warn", "suggestions are switched off", "set enabled to true")


def check_folders() -> Iterator[Finding]:
    """The private folders."""
    for name, folder in (("state", state_dir), ("runtime", runtime_dir)):
        try:
            yield Finding("ok", f"{name} folder {folder()}")
        except UnsafeFolderError as error:
            yield Finding("fail", str(error))


async def check_edge(settings: Settings) -> AsyncIterator[Finding]:
    """Each address: reachable, token taken, protocol spoken, round trip, and whether a model answers behind it."""
    if not settings.edge.urls:
        if settings.local.enabled:
            yield Finding("ok", "no edge configured: the local model alone answers")
        else:
            yield Finding("fail", "neither an edge nor the local model", "set edge.urls, or local.enabled to true")
        return
    failures: Level = "warn" if settings.local.enabled else "fail"
    for url in settings.edge.urls:
        try:
            yield await _round_trip(url, Reach(settings.edge.token, outward(settings.edge), time.monotonic))
        except DialError as error:
            yield Finding("fail", f"edge {error}", _advice(url))
            continue
        source = EdgeSource([url], settings.edge.token, outward(settings.edge))
        yield await _answers(source, f"edge {url}", EDGE_ANSWER_S, failures)


def _advice(url: str) -> str:
    host = urlsplit(url).hostname
    return f"check that foretype-proxy runs on {host}, edge.urls and edge.token"


async def _round_trip(url: str, reach: Reach) -> Finding:
    """Raises DialError."""
    opened = await reach.open(url)
    try:
        times_ms = []
        for _ in range(_PINGS):
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                times_ms.append(await opened.wire.ping() * 1_000)
    except (TimeoutError, WireClosedError):
        raise DialError(f"{url} welcomes a session but does not answer a ping.") from None
    finally:
        opened.wire.abort()
    best = min(times_ms)
    models = ", ".join(model.name for model in opened.welcome.models) or "no model named"
    over = " over HTTP (no WebSocket gets through)" if opened.address.endswith(OVER_HTTP) else ""
    what = f"edge {url}: {best:.1f} ms round trip{over}, {models}"
    if best > SLOW_MS:
        return Finding("warn", what, "choose an edge nearer to you: little of 200 ms is left for the model")
    return Finding("ok", what)


async def _answers(source: Source, name: str, timeout_s: float, failure: Level) -> Finding:
    """Whether `source` answers one completion."""
    started = time.perf_counter()
    await source.start()
    try:
        text, ended = await _completed(source, timeout_s)
        taken = source.memory_bytes() if isinstance(source, TakesMemory) else None
    except SourceUnavailableError as error:
        return Finding(failure, f"{name} does not answer: {error}")
    finally:
        await source.close()
    took_ms = (time.perf_counter() - started) * 1_000
    if ended.reason in ("stop", "length"):
        model, memory = ended.model or "model", "" if taken is None else f", {taken / _MIB:.0f} MiB of memory"
        answer = f"{model}, {took_ms:.0f} ms with connecting, {len(text)} characters{memory}"
        return Finding("ok", f"{name} answers ({answer})")
    return Finding(failure, f"{name} gave no answer ({ended.reason}): {ended.message or 'no reason given'}")


async def _completed(source: Source, timeout_s: float) -> tuple[str, Ended]:
    request = SourceRequest(
        id=1, doc="doctor", context=SAMPLE, max_tokens=8, kind="invoked", give_up_ms=int(timeout_s * 1_000)
    )
    text = ""
    async with aclosing(source.generate(request)) as answer:
        async for event in answer:
            if isinstance(event, Piece):
                text += event.text
            else:
                return text, event
    raise SourceUnavailableError("the answer broke off")


async def check_local(settings: Settings, timeout_s: float) -> AsyncIterator[Finding]:
    """The model's file, what the worker needs, and whether it starts and answers."""
    if not settings.local.enabled:
        yield Finding("ok", "the local model is switched off (local.enabled)")
        return
    failures: Level = "warn" if settings.edge.urls else "fail"
    model = settings.local.model
    if (problem := missing(model)) is not None:
        yield Finding(failures, f"local model: {problem}")
        return
    file = model_file(model)
    if file is not None:
        free = this_machine().available_bytes
        room = "" if free is None else f"; {free / _MIB:.0f} MiB of memory are free"
        yield Finding("ok", f"local model {model}: {file} ({file.stat().st_size / _MIB:.1f} MiB{room})")
    yield check_store()
    yield await _answers(LocalSource(model), "local model", timeout_s, failures)


def check_store() -> Finding:
    """What the model store holds."""
    store = Store.of_user()
    records, unfinished = store.all(), [name for name, _ in store.unfinished()]
    if unfinished:
        name = unfinished[0]
        what = f"model store {store.folder}: the download of {', '.join(unfinished)} was interrupted"
        return Finding("warn", what, f"pull it again, or `foretype-lsp models remove {name}`")
    if not records:
        return Finding("ok", f"model store {store.folder}: empty; `foretype-lsp models list` shows what there is")
    size = sum(record.bytes for record in records) / _MIB
    return Finding("ok", f"model store {store.folder}: {', '.join(r.name for r in records)} ({size:.1f} MiB)")


def check_editors() -> Finding:
    """Editors on the PATH."""
    found = [name for program, name in EDITORS.items() if shutil.which(program)]
    if found:
        return Finding("ok", f"editors found: {', '.join(found)}")
    return Finding("warn", "no editor found on the PATH", "any editor with LSP works: point it at `foretype-lsp`")
