"""The models that a bench compares, as its command line names them, and a session with each one's worker."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import worker
from benchmarks.errors import BenchError

DEFAULT_MODEL: Final = "starter"


@dataclass(frozen=True)
class Contestant:
    """A label, and either what a worker is started with (`arguments`) or the address of one that runs (`address`)."""

    label: str
    arguments: tuple[str, ...] = ()
    address: str = ""


def add_options(options: argparse.ArgumentParser) -> None:
    """The options that say which models are measured; `of_options` reads them."""
    group = options.add_argument_group("which models")
    group.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="[LABEL=]NAME|PATH",
        help="a model for a worker of its own; may be repeated (default: starter)",
    )
    group.add_argument("--engine", default="llama", metavar="llama|openai", help="of those workers (default: llama)")
    group.add_argument("--url", metavar="URL", help="of the server, for --engine openai: http://127.0.0.1:8000/v1")
    group.add_argument(
        "--worker",
        action="append",
        default=[],
        metavar="[LABEL=]ws://…|unix:PATH",
        help="a worker that runs already; may be repeated",
    )
    group.add_argument("--token-file", type=Path, metavar="FILE", help="the token that those workers want")


def split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """A command line's own arguments, and what follows `--`, which is passed on to `foretype-worker`."""
    listed = list(arguments)
    at = listed.index("--") if "--" in listed else len(listed)
    return listed[:at], listed[at + 1 :]


def labelled(text: str) -> tuple[str, str]:
    """`LABEL=VALUE` as its two parts; of a VALUE alone the label is the file's name without its ending."""
    label, equals, value = text.partition("=")
    if equals and label and not set("/:\\?") & set(label):
        return label, value
    return (text if ":" in text else Path(text).stem or text), text


def of_options(options: argparse.Namespace, passed_on: Sequence[str], reserved: Sequence[str] = ()) -> list[Contestant]:
    """What the command line names. Raises BenchError if two have one label, or one of the `reserved`."""
    models = options.model or ([] if options.worker else [DEFAULT_MODEL])
    found = []
    for text in models:
        label, model = labelled(text)
        target = ["--url", options.url] if options.url else []
        found.append(Contestant(label, ("--engine", options.engine, "--model", model, *target, *passed_on)))
    for text in options.worker:
        label, address = labelled(text)
        found.append(Contestant(label, address=address))
    labels = [*(one.label for one in found), *reserved]
    for label in labels:
        if labels.count(label) > 1:
            raise BenchError(f"Two columns would be named {label!r}: give them names, as in --model new=PATH.")
    return found


def session(contestant: Contestant, token: str) -> contextlib.AbstractAsyncContextManager[worker.WorkerClient]:
    """A session with the contestant's worker, which is started if need be. Raises BenchError."""
    if contestant.address:
        return worker.connected(contestant.address, token)
    return worker.started(contestant.arguments)


def token(path: Path | None) -> str:
    """The first line of a token file, "" without one. Raises BenchError."""
    if path is None:
        return ""
    try:
        return path.read_text("utf-8").strip().splitlines()[0]
    except (OSError, UnicodeDecodeError, IndexError) as error:
        raise BenchError(f"No token can be read from {path}: {error}.") from None


def positive(text: str) -> int:
    """An option's count, for argparse."""
    if not text.isdigit() or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 1000000")
    return int(text)
