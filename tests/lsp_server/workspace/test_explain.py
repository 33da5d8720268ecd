"""`foretype-lsp complete --explain`: the parts, their sizes and why, without asking a model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lsp_server import complete_command
from lsp_server.complete_command import run
from lsp_server.settings import Loaded


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "store.py").write_text("def put(key, entry):\n    return key\n", encoding="utf-8")
    (tmp_path / "like.py").write_text("def save(entries, limit):\n    put(entries, limit)\n", encoding="utf-8")
    (tmp_path / "main.py").write_text("from store import put\n\ndef f(entries, limit):\n    put(", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(complete_command, "load_settings", lambda **layers: Loaded())
    monkeypatch.setattr(complete_command, "build_source", lambda settings: pytest.fail("a model was asked"))
    return tmp_path


def test_json_says_which_parts_there_are_how_large_and_why(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["main.py:4:9", "--explain", "--json", "--open", "like.py"]) == 0
    explained = json.loads(capsys.readouterr().out)
    parts = {part["part"]: part for part in explained["parts"]}
    assert list(parts) == ["declarations", "similar", "path", "before", "typed"]
    assert parts["declarations"]["text"] == "def put(key, entry):\n"
    assert parts["similar"]["path"] == "like.py"
    assert parts["before"]["bytes"] == len("from store import put\n\ndef f(entries, limit):\n")
    assert all(part["why"] for part in explained["parts"])


def test_a_table_is_printed_for_people(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["main.py:4:9", "--explain"]) == 0
    out = capsys.readouterr().out
    assert "on this machine" in out
    assert "declarations" in out


def test_of_a_file_of_secrets_nothing_is_explained(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / ".env").write_text("TOKEN=1\n", encoding="utf-8")
    assert run([".env:1:7", "--explain"]) == 1
    assert "secrets" in capsys.readouterr().err


def test_an_open_file_that_is_not_there_is_a_sentence(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["main.py:4:9", "--explain", "--open", "none.py"]) == 2
    assert "none.py does not exist" in capsys.readouterr().err
