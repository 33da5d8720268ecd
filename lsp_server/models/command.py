"""`foretype-lsp models`: list, pull, path and remove local models."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Final

from lsp_server.models import catalogue, listing, memory
from lsp_server.models.errors import ModelError
from lsp_server.models.licences import PERMISSIVE
from lsp_server.models.names import STARTER, is_path
from lsp_server.models.store import Store
from lsp_server.settings import load_settings
from lsp_server.sources.local_process import missing, model_file

FAILED: Final = 1
SWITCHED_OFF: Final = ("HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_UPDATE_CHECK", "HF_HUB_DISABLE_XET")
"""Set to 1 before the hub library is loaded: nothing is sent that a download does not need, and plain HTTP resumes."""


def run(argv: list[str]) -> int:
    """The process's exit code: 1 if a model is not there or could not be fetched or removed."""
    options = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = options.run
    try:
        return command(options)
    except ModelError as error:
        print(f"foretype-lsp models {options.command}: {error}", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="foretype-lsp models", description="Local models.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="list|pull|path|remove")
    show = commands.add_parser("list", help="the models on this machine, and a catalogue with what suits this machine")
    show.set_defaults(run=_list)
    pull = commands.add_parser(
        "pull",
        help="download a model",
        description="Download a model into your data folder; interrupted, the same command goes on where it stopped. "
        "HF_ENDPOINT and HF_TOKEN are honoured.",
    )
    pull.add_argument(
        "model", metavar="NAME|OWNER/REPO[:FILE]", help="a name of the catalogue, or a repository of the hub"
    )
    pull.add_argument("--file", metavar="FILE", help="the GGUF file to take (default: the INT4 one)")
    pull.add_argument("--name", metavar="NAME", help="what to call it here (default: the catalogue's or file's name)")
    pull.add_argument(
        "--accept-licence", action="store_true", help="accept a licence that restricts use, without asking"
    )
    pull.set_defaults(run=_pull)
    path = commands.add_parser("path", help="print the file of a model")
    path.add_argument(
        "name", nargs="?", help=f"{STARTER}, a name from the list, or a GGUF file; default: the one in use"
    )
    path.set_defaults(run=_path)
    remove = commands.add_parser("remove", help="remove a downloaded model")
    remove.add_argument("name", metavar="NAME")
    remove.add_argument("--force", action="store_true", help="also the one in use")
    remove.set_defaults(run=_remove)
    return parser


def _in_use() -> str:
    model = load_settings().settings.local.model
    return model if is_path(model) else model.lower()


def _list(_: argparse.Namespace) -> int:
    store, in_use = Store.of_user(), _in_use()
    records = store.all()
    starter, shape = _starter(in_use)
    models = [starter]
    models += [
        listing.Installed(record.name, record.bytes, record.licence, str(store.file(record)), record.name == in_use)
        for record in records
    ]
    if not any(model.in_use for model in models):
        file = model_file(in_use)
        size = file.stat().st_size if file is not None and file.is_file() else 0
        models.append(listing.Installed(in_use, size, "", "" if file is None else str(file), True))
    lines = [
        *listing.here(models, list(store.unfinished()), str(store.folder)),
        "",
        *listing.catalogue_lines(
            catalogue.load(), memory.this_machine(), frozenset(record.name for record in records), shape
        ),
    ]
    print("\n".join(lines))
    return 0


def _starter(in_use: str) -> tuple[listing.Installed, memory.Shape | None]:
    """The starter, and its shape if the card that lies beside it tells."""
    file = model_file(STARTER)
    if file is None:
        return listing.Installed(STARTER, 0, "", "", in_use == STARTER), None
    size = file.stat().st_size
    try:
        card = json.loads(file.with_name("starter.json").read_text("utf-8"))
        tag, shape = str(card["licence"]), memory.Shape(size, float(card["parameters"]))
    except (OSError, ValueError, KeyError, TypeError):
        tag, shape = "", None
    return listing.Installed(STARTER, size, PERMISSIVE.get(tag, tag), str(file), in_use == STARTER), shape


def _pull(options: argparse.Namespace) -> int:
    if find_spec("huggingface_hub") is None:
        raise ModelError("Downloading needs the library huggingface_hub: pip install 'foretype[local]'.")
    for name in SWITCHED_OFF:
        os.environ.setdefault(name, "1")
    from lsp_server.models.pull import Manner, pull, understand  # loads the hub library, which takes half a second

    wanted = understand(options.model, catalogue.load(), file=options.file, name=options.name)
    store = Store.of_user()
    asks = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    manner = Manner(
        say=_say,
        ask=_ask if asks else None,
        accepted=options.accept_licence,
        now=datetime.now(UTC).isoformat(timespec="seconds"),
        plain=not sys.stderr.isatty(),
    )
    record = pull(wanted, store, manner)
    if (problem := memory.too_large(record.name, record.shape, memory.this_machine())) is not None:
        _say(f"Warning: {problem}")
    _say(f'To use it: local.model = "{record.name}" in your settings, or FORETYPE_LOCAL_MODEL={record.name}.')
    print(store.file(record))
    return 0


def _path(options: argparse.Namespace) -> int:
    name = options.name or _in_use()
    file = model_file(name)
    if file is None or not file.is_file():
        raise ModelError(missing(name) or f"The model {name} is not there.")
    print(file)
    return 0


def _remove(options: argparse.Namespace) -> int:
    name, store = options.name.lower(), Store.of_user()
    if name == STARTER:
        raise ModelError("The starter model is part of the installation and cannot be removed.")
    if name == _in_use() and not options.force:
        raise ModelError(f"{name} is in use: set local.model to another model first, or give --force.")
    store.folder_of(name)  # the name is checked before any folder is made
    store.prepare()
    with store.lock(name):
        freed = store.remove(name)
    print(f"Removed {name}: {freed / listing.MIB:.1f} MiB freed.")
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _ask(question: str) -> str:
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline()
