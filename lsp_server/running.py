"""The language servers of this person that run now, and what each takes of the machine's memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from lsp_server.cli import COMMANDS


def is_server(command: Sequence[str]) -> bool:
    """Whether a command line is a language server's that serves an editor, by its program and no subcommand."""
    for number, part in enumerate(command[:4]):
        started = PurePath(part).stem == "foretype-lsp" or (part == "lsp_server" and command[number - 1] == "-m")
        if started:
            return not any(each in COMMANDS for each in command[number + 1 :])
    return False


def servers() -> Iterator[int]:
    """Resident bytes of each that runs; nothing without psutil."""
    try:
        import psutil
    except ImportError:
        return
    me = psutil.Process()
    mine = me.username()
    for process in psutil.process_iter(["cmdline", "username", "memory_info"]):
        found, memory = process.info, process.info["memory_info"]
        others = process.pid != os.getpid() and found["username"] == mine
        if others and memory is not None and is_server(found["cmdline"] or ()):
            yield int(memory.rss)
