"""Which processes are language servers."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lsp_server.running import is_server, servers


@pytest.mark.parametrize(
    "command",
    [
        ["/usr/bin/python3", "/home/me/.local/bin/foretype-lsp", "--stdio"],
        ["python", "-m", "lsp_server"],
        ["C:\\foretype-lsp.exe", "--clientProcessId", "7"],
        ["/opt/foretype-lsp"],
    ],
)
def test_a_server_is_known_by_its_program(command: list[str]) -> None:
    if "\\" in command[0] and sys.platform != "win32":
        command = ["foretype-lsp.exe", *command[1:]]
    assert is_server(command)


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["vim", "foretype-lsp.py.md"],
        ["foretype-lsp", "doctor"],
        ["python", "-m", "lsp_server", "complete", "a.py:1:1"],
        ["grep", "-r", "x", "y", "foretype-lsp"],
        ["python", "lsp_server"],
    ],
)
def test_other_programs_and_subcommands_are_none(command: list[str]) -> None:
    assert not is_server(command)


def test_a_server_that_runs_is_counted_with_its_memory() -> None:
    before = len(list(servers()))
    with subprocess.Popen([sys.executable, "-m", "lsp_server", "--stdio"], stdin=subprocess.PIPE) as server:
        try:
            assert len(list(servers())) >= max(1, before)
            assert all(taken > 0 for taken in servers())
        finally:
            server.kill()
