"""The private folders: where they are, and when they are refused."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from pathlib import Path

import pytest

from lsp_server import paths
from lsp_server.paths import (
    MAX_SOCKET_PATH_BYTES,
    UnsafeFolderError,
    config_file,
    private_folder,
    runtime_dir,
    socket_fits,
    state_dir,
)
from lsp_server.sources.election import Meeting

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes and sockets")


def test_folders_are_where_the_environment_says(tmp_path: Path) -> None:
    environ = {"FORETYPE_STATE_DIR": str(tmp_path / "s"), "FORETYPE_RUNTIME_DIR": str(tmp_path / "r")}
    assert (state_dir(environ), runtime_dir(environ)) == (tmp_path / "s", tmp_path / "r")
    assert config_file({"FORETYPE_CONFIG": "/c.toml"}) == (Path("/c.toml"), True)


@posix
def test_without_a_session_folder_the_users_own_in_the_temporary_folder_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(paths, "user_runtime_path", lambda *_, **__: tmp_path / "runtime-0" / "foretype")
    monkeypatch.setattr(paths, "socket_fits", lambda folder: True)
    assert runtime_dir({}) == tmp_path / f"foretype-{os.getuid()}"
    assert not (tmp_path / "runtime-0").exists()
    assert list(recwarn) == []


@posix
def test_folders_are_the_users_alone(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    assert stat.S_IMODE(private_folder(folder).stat().st_mode) == 0o700


@posix
def test_a_folder_with_too_long_a_path_for_a_socket_is_refused(tmp_path: Path) -> None:
    long = tmp_path / ("x" * MAX_SOCKET_PATH_BYTES)
    with pytest.raises(UnsafeFolderError, match="FORETYPE_RUNTIME_DIR"):
        runtime_dir({"FORETYPE_RUNTIME_DIR": str(long)})


def test_a_socket_in_the_longest_folder_that_fits_stays_within_the_limit() -> None:
    folder = Path("/")
    while socket_fits(folder / "x") and len(str(folder)) < MAX_SOCKET_PATH_BYTES:
        folder = Path(f"{folder}x")
    while not socket_fits(folder):
        folder = Path(str(folder)[:-1])
    assert len(os.fsencode(Meeting(folder, "model", "unix").socket_path)) <= MAX_SOCKET_PATH_BYTES


@posix
def test_a_file_in_the_way_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    with pytest.raises(UnsafeFolderError, match="cannot be used"):
        private_folder(tmp_path / "f")


@posix
def test_another_users_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
    with pytest.raises(UnsafeFolderError, match="another user"):
        private_folder(tmp_path / "theirs")
