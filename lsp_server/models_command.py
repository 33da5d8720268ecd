"""`foretype-lsp models`: which local models there are, and where they lie."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from lsp_server.settings import load_settings
from lsp_server.sources.local_process import STARTER, model_file

_MIB: Final = 1_048_576


def run(argv: list[str]) -> int:
    """The process's exit code: 1 if a model asked for is not there."""
    parser = argparse.ArgumentParser(prog="foretype-lsp models", description="Local models.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="list|path|pull")
    commands.add_parser("list", help="the models on this machine; * marks the one in use")
    path = commands.add_parser("path", help="print the file of a model")
    path.add_argument("name", nargs="?", help="starter, or a GGUF file; default: the one in use")
    pull = commands.add_parser("pull", help="download a model (not in this version)")
    pull.add_argument("name")
    options = parser.parse_args(argv)
    in_use = load_settings().settings.local.model
    if options.command == "list":
        return _list(in_use)
    if options.command == "path":
        return _path(options.name or in_use)
    print(
        f"foretype-lsp models pull {options.name}: downloading arrives with the model store, not in this version. "
        "Download a GGUF file yourself and set local.model to its path.",
        file=sys.stderr,
    )
    return 1


def _list(in_use: str) -> int:
    for name in dict.fromkeys((STARTER, in_use)):
        file = model_file(name)
        mark = "*" if name == in_use else " "
        if file is not None and file.is_file():
            print(f"{mark} {name}  {file.stat().st_size / _MIB:.1f} MiB  {file}")
        else:
            print(f"{mark} {name}  missing")
    return 0


def _path(name: str) -> int:
    file = model_file(name)
    if file is None or not file.is_file():
        where = "in this installation" if file is None else f"at {file}"
        print(f"The model `{name}` is not {where}; `foretype-lsp models list` shows what is.", file=sys.stderr)
        return 1
    print(file)
    return 0
