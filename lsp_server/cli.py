"""The command `foretype-lsp`: the language server, and its subcommands; everything else is imported when needed."""

from __future__ import annotations

import argparse
import gc
import importlib
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Final

from lsp_server.paths import UnsafeFolderError
from lsp_server.version import version

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "complete": ("lsp_server.complete_command", "print the suggestion at FILE:LINE:COL"),
    "models": ("lsp_server.models.command", "the local models: list, pull, path, remove"),
    "stats": ("lsp_server.statistics.command", "what became of suggestions"),
    "doctor": ("lsp_server.doctor", "check settings, edge, model and editors, and say what to do"),
    "clean": ("lsp_server.privacy.clean", "remove pulled models and logs"),
    "demo": ("lsp_server.demo", "worker, proxy and language server at work on a real file"),
}
"""Subcommands: the module whose `run(argv) -> exit code` does it, and what it does."""

_TTY_HINT: Final = (
    "foretype-lsp is a language server and waits for an editor on its standard input. "
    "To try it by hand: `foretype-lsp complete FILE:LINE:COL` or `foretype-lsp demo`; --help shows all. Ctrl-C ends it."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: this process's); the process's exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments and arguments[0] in COMMANDS:
            return _command(arguments[0], arguments[1:])
        return _serve(arguments)
    except UnsafeFolderError as error:
        print(f"foretype-lsp: {error}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _command(name: str, argv: list[str]) -> int:
    if name == "complete":
        _log()
    run: Callable[[list[str]], int] = importlib.import_module(COMMANDS[name][0]).run
    return run(argv)


def _serve(argv: list[str]) -> int:
    parser = _parser()
    options = parser.parse_args(argv)
    if options.COMMAND is not None:
        parser.error(f"options before `{options.COMMAND}` are not understood; write them after it.")
    _log(log_code=options.log_code)
    server = _load("lsp_server.serve")
    run_stdio: Callable[[], int] = server.run_stdio
    run_tcp: Callable[[str, int], int] = server.run_tcp
    if options.tcp is not None:
        return _listen(run_tcp, *options.tcp)
    if sys.stdin is not None and sys.stdin.isatty():
        print(_TTY_HINT, file=sys.stderr)
    return run_stdio()


def _load(name: str) -> ModuleType:
    """Import what serves an editor, fast: it waits for that.

    All that is made lives as long as the process: a collector that looks through it meanwhile (a tenth of the time),
    and ever after, finds nothing.
    """
    from lsp_server import protocol_types

    gc.disable()
    try:
        protocol_types.load()
        module = importlib.import_module(name)
        gc.freeze()
    finally:
        gc.enable()
    return module


def _listen(run_tcp: Callable[[str, int], int], host: str, port: int) -> int:
    from lsp_server.settings_layers import is_loopback

    if not is_loopback(host):
        print(f"foretype-lsp: whoever can reach {host}:{port} can use this server; 127.0.0.1 is safe.", file=sys.stderr)
    try:
        return run_tcp(host, port)
    except OSError as error:
        reason = error.strerror or str(error)
        print(f"foretype-lsp: cannot listen on {host}:{port}: {reason}. Choose another port.", file=sys.stderr)
        return EXIT_FAILED


def _log(*, log_code: bool = False) -> None:
    from lsp_server import logs

    logs.set_up(log_code=log_code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="foretype-lsp",
        description="A language server that shows the next lines of code before they are typed. "
        "Without arguments it speaks the Language Server Protocol on its standard input and output.",
        epilog="foretype-lsp COMMAND --help shows a command's options.",
    )
    parser.add_argument("--version", action="version", version=f"foretype-lsp {version()}")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--stdio", action="store_true", help="speak on standard input and output (the default)")
    where.add_argument("--tcp", type=_address, metavar="HOST:PORT", help="listen there for one editor instead")
    parser.add_argument(
        "--log-code", action="store_true", help="write code and suggestions to the log file, in this run only"
    )
    # vscode-languageclient and others pass it to every server; it is not needed on stdio.
    parser.add_argument("--clientProcessId", type=int, help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="COMMAND", title="commands", metavar="COMMAND")
    for name, (_, what) in COMMANDS.items():
        commands.add_parser(name, help=what, add_help=False)
    return parser


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdecimal() or int(port) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:2087")
    return host, int(port)
