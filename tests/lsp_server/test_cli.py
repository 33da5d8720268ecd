"""The command line of `foretype-lsp`."""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from lsp_server import cli


class FakeServer(types.ModuleType):
    """Stands for `lsp_server.serve`."""

    def __init__(self) -> None:
        super().__init__("lsp_server.serve")
        self.calls: list[object] = []

    def run_stdio(self) -> int:
        self.calls.append("stdio")
        return 0

    def run_tcp(self, host: str, port: int) -> int:
        self.calls.append((host, port))
        if port == 1:
            raise OSError(13, "Permission denied")
        return 0


@pytest.fixture(autouse=True)
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FORETYPE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("FORETYPE_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("FORETYPE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("FORETYPE_CONFIG", str(tmp_path / "config.toml"))
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    level = root.level
    yield
    root.setLevel(level)
    for handler in root.handlers:
        handler.close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    fake = FakeServer()
    monkeypatch.setitem(sys.modules, "lsp_server.serve", fake)
    return fake


@pytest.mark.parametrize("argv", [[], ["--stdio"], ["--stdio", "--clientProcessId=42"]])
def test_without_a_command_it_serves_on_stdio(server: FakeServer, argv: list[str]) -> None:
    assert cli.main(argv) == 0
    assert server.calls == ["stdio"]


@pytest.mark.parametrize(("address", "parsed"), [("127.0.0.1:2087", ("127.0.0.1", 2087)), ("[::1]:0", ("::1", 0))])
def test_tcp_listens_where_told(server: FakeServer, address: str, parsed: tuple[str, int]) -> None:
    assert cli.main(["--tcp", address]) == 0
    assert server.calls == [parsed]


def test_a_port_that_cannot_be_used_is_a_sentence(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--tcp", "127.0.0.1:1"]) == 1
    assert "cannot listen on 127.0.0.1:1: Permission denied" in capsys.readouterr().err


def test_an_address_that_others_can_reach_is_warned_of(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--tcp", "0.0.0.0:2"]) == 0
    assert "127.0.0.1 is safe" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["--tcp", "2087"], ["--tcp", "h:x"], ["--tcp", "h:70000"], ["--what"], ["sing"]])
def test_a_wrong_command_line_is_refused_with_a_hint(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        cli.main(argv)
    assert exit.value.code == cli.EXIT_USAGE
    assert "foretype-lsp: error" in capsys.readouterr().err


def test_a_person_at_a_terminal_gets_a_hint(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class FakeTerminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", FakeTerminal())
    cli.main([])
    assert "foretype-lsp complete FILE:LINE:COL" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["complete", "demo"])
def test_a_commands_arguments_reach_its_module(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("fake")
    calls: list[list[str]] = []
    module.run = lambda argv: calls.append(argv) or 7  # type: ignore[attr-defined,func-returns-value]
    monkeypatch.setitem(sys.modules, cli.COMMANDS[command][0], module)
    assert cli.main([command, "--json", "f.py:1:2"]) == 7
    assert calls == [["--json", "f.py:1:2"]]


def test_the_collector_runs_again_once_the_server_is_loaded() -> None:
    assert cli._load("lsp_server.version").version()
    gc.unfreeze()
    assert gc.isenabled()


def test_an_interrupt_is_no_traceback(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(server, "run_stdio", interrupted)
    assert cli.main([]) == cli.EXIT_INTERRUPTED


def test_version_and_help_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    for argv, word in ((["--version"], "foretype-lsp "), (["--help"], "complete"), (["models", "--help"], "pull")):
        with pytest.raises(SystemExit) as exit:
            cli.main(argv)
        assert exit.value.code == 0
        assert word in capsys.readouterr().out


def test_importing_the_command_line_imports_no_server_and_no_websockets() -> None:
    code = (
        "import sys, lsp_server.cli; print([n for n in ('pygls', 'websockets', 'rich', 'asyncio') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# models


def test_models_path_prints_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    assert cli.main(["models", "path", str(tmp_path / "m.gguf")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "m.gguf")


def test_models_path_of_a_missing_file_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models", "path", str(tmp_path / "none.gguf")]) == 1
    assert "none.gguf" in capsys.readouterr().err


def test_models_list_marks_the_one_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORETYPE_LOCAL_MODEL", str(tmp_path / "m.gguf"))
    assert cli.main(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert lines[0].startswith("  starter")
    assert lines[1].startswith(f"* {tmp_path / 'm.gguf'}  missing")


def test_models_pull_of_an_unknown_name_points_to_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models", "pull", "big"]) == 1
    assert "models list" in capsys.readouterr().err
