"""`foretype-lsp demo`: worker, proxy and language server at work on a real file, through a failure and back."""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console

from lsp_server.demo.buffer import Buffer
from lsp_server.demo.programs import ProgramFailedError
from lsp_server.demo.report import Report
from lsp_server.demo.screen import LiveScreen, PlainScreen, Screen
from lsp_server.demo.session import Session
from lsp_server.demo.typist import Typist

SAMPLE: Final = ("cachetools", "func.py")
"""A file of a package that the starter model was never trained on (training/starter.toml holds it out)."""

START_MARK: Final = "def fifo_cache"
"""Typing begins here in the sample; everything before it is already written when the file is opened."""

PACE: Final = 0.11
"""Median seconds between keys: about 110 words a minute with the pauses, a fast typist."""

FAST_PACE: Final = 0.09
LENGTH: Final = 900
FAST_LENGTH: Final = 420
"""Characters typed or accepted in all."""

SEED: Final = 7

MISSING: Final = 1
"""Exit code when a source never answered."""
USAGE: Final = 2
"""Exit code when the demo could not begin."""


def _sample() -> tuple[str, str, str]:
    """The sample's name, what is already written, and what will be typed."""
    package, name = SAMPLE
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ProgramFailedError(f"the package {package}, whose source the demo types, is not installed")
    source = (Path(spec.origin).parent / name).read_text(encoding="utf-8")
    at = source.find(START_MARK)
    if at < 0:
        at = len(source) // 3
    return f"{package}/{name}", source[:at], source[at:]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="foretype-lsp demo",
        description="Starts a worker, a proxy and the language server, types a real Python file key by key, kills the "
        "proxy halfway and restarts it. Succeeds if suggestions came from the edge, the cache and the local model.",
    )
    parser.add_argument("--fast", action="store_true", help="shorter and quicker, for CI")
    parser.add_argument("--plain", action="store_true", help="plain lines also on a terminal")
    parser.add_argument("--seed", type=int, default=SEED, help="seed of the typist's pauses and choices (%(default)s)")
    parser.add_argument("--model", default="starter", metavar="NAME|PATH", help="model to run (%(default)s)")
    return parser


async def _play(options: argparse.Namespace, screen: Screen, title: str, written: str, truth: str) -> Report:
    with tempfile.TemporaryDirectory(prefix="foretype-", ignore_cleanup_errors=True) as folder:
        session = Session(Path(folder), secrets.token_urlsafe(), options.model, screen)
        typist = Typist(truth, FAST_PACE if options.fast else PACE, options.seed)
        try:
            await session.start(title, Buffer(written, len(written)))
            return await session.type(typist)
        finally:
            await session.stop()


def run(argv: list[str]) -> int:
    """Run the demo; the exit code is 0 only if suggestions came from edge, cache and local, and from the edge again."""
    options = _parser().parse_args(argv)
    console = Console(highlight=False)
    try:
        title, written, truth = _sample()
        length = FAST_LENGTH if options.fast else LENGTH
        animated = console.is_terminal and not options.plain
        screen: Screen = LiveScreen(console, title) if animated else PlainScreen(console)
        try:
            report = asyncio.run(_play(options, screen, title, written, truth[:length]))
        finally:
            screen.close()
    except ProgramFailedError as error:
        print(f"foretype-lsp demo: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("foretype-lsp demo: interrupted", file=sys.stderr)
        return 130
    console.print(report.table())
    console.print(report.totals())
    for sentence in report.missing():
        print(f"foretype-lsp demo: {sentence}", file=sys.stderr)
    return MISSING if report.missing() else 0
