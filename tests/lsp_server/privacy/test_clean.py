"""`foretype-lsp clean`: what it removes, asks and leaves."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from lsp_server.models.store import Store
from lsp_server.privacy import clean


class Home:
    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.runtime = folder / "run"
        self.data = folder / "data"
        for place in (self.state, self.runtime, self.data / "models" / "tiny"):
            place.mkdir(parents=True)
        self.log = self.state / "lsp.log"
        self.log.write_text("x" * 2048)
        (self.state / "lsp.log.1").write_text("x")
        (self.state / "worker-abc.log").write_text("x")
        (self.state / "stats.json").write_text("{}")
        (self.state / "notes.txt").write_text("mine")
        record = {
            "name": "tiny", "file": "a.gguf", "repo": "o/r", "revision": "1", "path_in_repo": "a.gguf", "sha256": "0",
            "bytes": 3 * 1_048_576, "licence": "mit", "licence_url": "", "accepted": "", "pulled": "", "fim": True,
        }  # fmt: skip
        self.model = self.data / "models" / "tiny"
        (self.model / "model.json").write_text(json.dumps(record))
        (self.model / "a.gguf").write_text("x")


@pytest.fixture
def home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home(folder)
    for name, place in (("STATE", made.state), ("RUNTIME", made.runtime), ("DATA", made.data)):
        monkeypatch.setenv(f"FORETYPE_{name}_DIR", str(place))
    return made


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short enough for a socket's path."""
    import shutil
    import tempfile

    path = Path(tempfile.mkdtemp(prefix="ft-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def test_it_lists_what_and_how_much_and_removes_it(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert clean.run(["--yes"]) == 0
    said = capsys.readouterr().out
    assert "3.0 MiB" in said
    assert "2.0 KiB" in said
    assert "4 to remove" in said
    assert not home.log.exists()
    assert not home.model.exists()
    assert sorted(path.name for path in home.state.iterdir()) == ["notes.txt", "stats.json"]


def test_models_are_kept_on_demand(home: Home) -> None:
    assert clean.run(["--yes", "--keep-models"]) == 0
    assert Store.of_user().find("tiny") is not None
    assert not home.log.exists()


def test_without_yes_and_without_a_terminal_nothing_is_removed(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert clean.run([]) == 1
    assert "--yes" in capsys.readouterr().out
    assert home.log.exists()
    assert home.model.exists()


@pytest.mark.parametrize(("answer", "gone"), [("y", True), ("", False), ("n", False)])
def test_on_a_terminal_it_asks(home: Home, monkeypatch: pytest.MonkeyPatch, answer: str, gone: bool) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: answer)
    clean.run([])
    assert home.log.exists() is not gone


def test_nothing_is_removed_through_a_link(home: Home, tmp_path: Path) -> None:
    mine = tmp_path / "mine.log"
    mine.write_text("mine")
    (home.state / "worker-evil.log").symlink_to(mine)
    outside = tmp_path / "models"
    outside.mkdir()
    (outside / "model.json").write_text((home.model / "model.json").read_text())
    (home.data / "models" / "other").symlink_to(outside, target_is_directory=True)
    clean.run(["--yes"])
    assert mine.read_text() == "mine"
    assert (outside / "model.json").exists()


def test_a_model_that_is_being_pulled_stays(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    (home.data / "models" / ".locks").mkdir()
    with Store.of_user().lock("tiny"):
        assert clean.run(["--yes"]) == 1
    assert "being pulled" in capsys.readouterr().err
    assert home.model.exists()


def test_a_worker_that_runs_keeps_its_socket_and_is_said(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_UNIX) as worker, socket.socket(socket.AF_UNIX) as dead:
        worker.bind(str(home.runtime / "w-live.sock"))
        worker.listen()
        dead.bind(str(home.runtime / "w-dead.sock"))
        dead.close()
        (home.runtime / "w-dead.lock").write_text("")
        assert clean.run(["--yes"]) == 0
        assert "1 local model runs now" in capsys.readouterr().out
    assert [path.name for path in home.runtime.iterdir()] == ["w-live.sock"]


def test_an_empty_home_is_said(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    clean.run(["--yes"])
    capsys.readouterr()
    assert clean.run(["--yes"]) == 0
    assert "nothing to remove" in capsys.readouterr().out
