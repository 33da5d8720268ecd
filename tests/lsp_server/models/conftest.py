"""A user's folders of their own, a stand-in hub, and small GGUF files."""

from __future__ import annotations

import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from pulled import CHUNK, REPO, Run
from small_gguf import write_gguf
from stand_in_hub import Repo, StandInHub

from lsp_server.models import command

SIZE = 1_000_000
"""Bytes of the stand-in's model."""


@pytest.fixture
def model(tmp_path: Path) -> bytes:
    """A small model that can fill in the middle."""
    return write_gguf(tmp_path / "made.gguf", size=SIZE)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every folder of the user, and no setting of this machine's."""
    for name in ("DATA", "STATE", "RUNTIME"):
        monkeypatch.setenv(f"FORETYPE_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.setenv("FORETYPE_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").write_text("")
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "FORETYPE_LOCAL_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    return tmp_path


@pytest.fixture
def hub(home: Path, model: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInHub]:
    """A hub with one repository, `owner/small-GGUF`; the library's pause between tries is left out."""
    monkeypatch.setattr("huggingface_hub.file_download.time", types.SimpleNamespace(sleep=lambda seconds: None))
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(home / "no-token"))
    stand_in = StandInHub()
    stand_in.repos[REPO] = Repo({"README.md": b"hello", "small-Q4_K_M.gguf": model, "small-f16.gguf": b"x"})
    monkeypatch.setenv("HF_ENDPOINT", stand_in.url)
    with stand_in.running():
        yield stand_in


@pytest.fixture
def models(hub: StandInHub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `foretype-lsp models …` in this process; exit code, standard output, standard error."""
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", CHUNK)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = command.run(list(arguments))
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return run
