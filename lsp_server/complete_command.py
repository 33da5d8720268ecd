"""`foretype-lsp complete FILE:LINE:COL`: print the suggestion at a place in a file; for scripts and bug reports."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from lsp_server.completer import Ask, Completer, Nothing, Outcome, Suggested
from lsp_server.context import workspace_path
from lsp_server.documents import MAX_DOCUMENT_CHARACTERS, Documents, Snapshot
from lsp_server.gate import SWITCHED_OFF
from lsp_server.install_key import document_key, install_key
from lsp_server.positions import Position, PositionEncoding
from lsp_server.printable import printable
from lsp_server.privacy.files import HEAD, Privacy
from lsp_server.settings import Settings, load_settings
from lsp_server.sources.base import Source
from lsp_server.sources.build import build_source
from lsp_server.techniques import Techniques
from lsp_server.workspace import explain
from lsp_server.workspace.budgets import limits_of
from lsp_server.workspace.languages import language_of
from lsp_server.workspace.once import LOOK_S, workspace_of

NONE: Final = 1
USAGE: Final = 2

TIMEOUT_S: Final = 60.0
"""Seconds: a local model that must be started first may take this long."""
MAX_TIMEOUT_S: Final = 600.0
POLL_S: Final = 0.02
"""Seconds between looks whether a source is ready."""

MAX_FILE_BYTES: Final = 4 * MAX_DOCUMENT_CHARACTERS
"""UTF-8 takes four bytes a character at most: a larger file is too large in any case."""


class BadPlaceError(Exception):
    """FILE:LINE:COL does not name a place in a text file; the sentence says why."""


class Target(NamedTuple):
    """A place in a file; line and column count from 1, the column in characters."""

    path: Path
    line: int
    column: int


def parse_place(text: str) -> Target:
    """FILE:LINE:COL taken apart; FILE may have colons itself. Raises BadPlaceError."""
    parts = text.rsplit(":", 2)
    if len(parts) != 3 or not parts[0] or not all(part.isascii() and part.isdecimal() for part in parts[1:]):
        raise BadPlaceError(f"{text!r} is not FILE:LINE:COL, such as app.py:12:5.")
    line, column = int(parts[1]), int(parts[2])
    if line < 1 or column < 1:
        raise BadPlaceError(f"{text!r}: lines and columns count from 1.")
    return Target(Path(parts[0]), line, column)


def read_text(path: Path) -> str:
    """The text of a file. Raises BadPlaceError."""
    try:
        if path.is_dir():
            raise BadPlaceError(f"{path} is a folder: name a file in it.")
        if not path.is_file():
            raise BadPlaceError(f"{path} {'is not a regular file' if path.exists() else 'does not exist'}.")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BadPlaceError(f"{path} is too large: files of up to {MAX_FILE_BYTES:,} bytes are completed.")
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadPlaceError(f"{path} is not UTF-8 text.") from None
    except OSError as error:
        raise BadPlaceError(f"{path} cannot be read: {error.strerror or error}.") from None


def ask_for(target: Target, root: Path) -> Ask:
    """The request at `target`. Raises BadPlaceError if the file or the line is not there, or it is not text."""
    text = read_text(target.path)
    documents = Documents(time.monotonic, PositionEncoding.UTF32)
    uri = target.path.resolve().as_uri()
    language = language_of(target.path.name)
    document = documents.open(uri, language, 0, text)
    if document.problem is not None:
        raise BadPlaceError(document.problem)
    if target.line > document.text.line_count:
        raise BadPlaceError(f"{target.path} has no line {target.line}: it has {document.text.line_count}.")
    snapshot = document.snapshot(Position(target.line - 1, target.column - 1))
    return Ask(snapshot, workspace_path(uri, [root.as_uri()]), invoked=True)


async def complete(
    ask: Ask,
    settings: Settings,
    source: Source,
    timeout_s: float,
    *,
    root: Path,
    others: Sequence[Snapshot] = (),
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """The suggestion for `ask` through `source`, which is started, awaited until it is ready, and closed.

    The folder `root` is looked through meanwhile, with the documents `others` open: the model is given what an editor's
    server would give it.
    """
    workspace = workspace_of(ask, root, others, settings, lambda: limits_of(source.statuses()))
    completer = Completer(
        source,
        settings,
        document_key(install_key()),
        techniques=Techniques(prefetch=False),  # nobody will accept what is printed
        surroundings=workspace.surroundings,
        clock=clock,
    )
    await source.start()
    looking = asyncio.create_task(asyncio.to_thread(workspace.work, LOOK_S))
    try:
        async with asyncio.timeout(timeout_s):
            while not any(status.state == "ready" for status in source.statuses()):
                if all(status.state == "failed" for status in source.statuses()):
                    details = " ".join(status.detail for status in source.statuses())
                    return Nothing(details or "Nothing can answer: set edge.urls, or local.enabled to true.")
                await asyncio.sleep(POLL_S)
            await asyncio.shield(looking)
            return await completer.complete(ask)
    except TimeoutError:
        details = " ".join(status.detail for status in source.statuses() if status.detail)
        return Nothing(f"No answer came within {timeout_s:g} s. {details}".strip())
    finally:
        workspace.close()
        await looking
        await completer.close()
        await source.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="foretype-lsp complete",
        description="Print the suggestion at a place in a file, from the sources that the settings name: the edge, or "
        "the model on this machine. Source and latency go to standard error.",
        epilog="Exit code: 0 with a suggestion, 1 without one, 2 if the place cannot be completed at.",
    )
    parser.add_argument("place", metavar="FILE:LINE:COL", help="line and column count from 1; COL beyond the end is it")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the text")
    parser.add_argument("--timeout", type=float, default=TIMEOUT_S, metavar="S", help="seconds (default %(default)g)")
    parser.add_argument("--multi", action="store_true", help="several lines, also where one is usual")
    parser.add_argument(
        "--explain", action="store_true", help="print what the model would be given, and why; no model is asked"
    )
    parser.add_argument(
        "--open",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="a file that is open as well, the last one visited last; may be repeated",
    )
    return parser


def run(argv: list[str]) -> int:
    """Print the suggestion; the process's exit code."""
    options = _parser().parse_args(argv)
    if not 0 < options.timeout <= MAX_TIMEOUT_S:
        return _say(f"--timeout must be above 0 and at most {MAX_TIMEOUT_S:g} seconds.", USAGE)
    root = Path.cwd()
    try:
        ask = replace(ask_for(parse_place(options.place), root), several_lines=options.multi)
    except BadPlaceError as error:
        return _say(str(error), USAGE)
    loaded = load_settings(root=root)
    for problem in loaded.problems:
        _say(str(problem), 0)
    if not loaded.settings.enabled:
        return _say(SWITCHED_OFF, NONE)
    text = ask.snapshot.text
    privacy = Privacy(lambda: [str(root)], lambda: loaded.settings)
    uri = parse_place(options.place).path.absolute().as_uri()  # not where a link leads, as that is judged as well
    withheld = privacy.withheld_document(uri, text.slice(0, HEAD), len(text), text.line_count)
    ask = replace(ask, withheld=withheld)
    try:
        others = [ask_for(Target(path, 1, 1), root).snapshot for path in options.open]
    except BadPlaceError as error:
        return _say(str(error), USAGE)
    if options.explain:
        return _explain(ask, root, others, loaded.settings, as_json=options.json)
    source = build_source(loaded.settings)
    outcome = asyncio.run(complete(ask, loaded.settings, source, options.timeout, root=root, others=others))
    if not isinstance(outcome, Suggested):
        return _say(outcome.sentence if isinstance(outcome, Nothing) else "Interrupted.", NONE)
    latency = f"{outcome.latency_ms:.0f} ms"
    if options.json:
        print(json.dumps({"text": outcome.text, "source": outcome.source, "latencyMs": round(outcome.latency_ms, 1)}))
    else:
        print(outcome.text)
    return _say(f"source {outcome.source}, {latency}", 0)


def _explain(ask: Ask, root: Path, others: Sequence[Snapshot], settings: Settings, *, as_json: bool) -> int:
    if ask.withheld is not None:
        return _say(ask.withheld.sentence, NONE)
    explained = explain.explained(ask, root, others, settings)
    if as_json:
        print(json.dumps(explained, indent=1))
    else:
        explain.show(explained, sys.stdout)
    return 0


def _say(sentence: str, code: int) -> int:
    print(printable(f"foretype-lsp complete: {sentence}"), file=sys.stderr)
    return code
