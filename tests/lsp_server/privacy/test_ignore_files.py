"""Ignore files as git reads them; git itself is the oracle."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from lsp_server.privacy.ignore_files import MAX_BYTES, RECHECK_S, IgnoreFiles


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def files(clock: Clock, tmp_path: Path) -> IgnoreFiles:
    return IgnoreFiles(clock, home=str(tmp_path / "home"))


def ignored(files: IgnoreFiles, root: Path, path: str) -> str | None:
    return files.ignored_by(str(root), str(root / path))


def test_patterns_nest_and_the_deepest_decides(files: IgnoreFiles, tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / ".gitignore").write_text("*.log\n/build/\n")
    (tmp_path / "a" / ".gitignore").write_text("!keep.log\nsecret*\n")
    assert ignored(files, tmp_path, "x.log") == ".gitignore"
    assert ignored(files, tmp_path, "a/b/x.log") == ".gitignore"
    assert ignored(files, tmp_path, "a/keep.log") is None
    assert ignored(files, tmp_path, "a/b/secret.py") == ".gitignore"
    assert ignored(files, tmp_path, "build/deep/x.py") == ".gitignore"
    assert ignored(files, tmp_path, "a/build/x.py") is None


def test_what_one_kind_of_ignore_file_withholds_the_other_cannot_take_back(files: IgnoreFiles, tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("a.py\n!b.py\n")
    (tmp_path / ".foretypeignore").write_text("!a.py\nb.py\n")
    assert ignored(files, tmp_path, "a.py") == ".gitignore"
    assert ignored(files, tmp_path, "b.py") == ".foretypeignore"


def test_the_repository_above_the_workspace_counts(files: IgnoreFiles, tmp_path: Path) -> None:
    (tmp_path / ".git" / "info").mkdir(parents=True)
    (tmp_path / ".git" / "info" / "exclude").write_text("mine.py\n")
    (tmp_path / ".gitignore").write_text("/pkg/out/\n")
    root = tmp_path / "pkg"
    root.mkdir()
    assert ignored(files, root, "out/a.py") == ".gitignore"
    assert ignored(files, root, "mine.py") == ".gitignore"
    assert ignored(files, root, "a.py") is None


def test_the_persons_own_ignore_file_counts(files: IgnoreFiles, tmp_path: Path) -> None:
    (tmp_path / "home" / ".config" / "git").mkdir(parents=True)
    (tmp_path / "home" / ".config" / "git" / "ignore").write_text("*.scratch\n")
    assert ignored(files, tmp_path, "a.scratch") == ".gitignore"


def test_a_change_is_seen_after_a_moment(files: IgnoreFiles, tmp_path: Path, clock: Clock) -> None:
    assert ignored(files, tmp_path, "a.py") is None
    (tmp_path / ".gitignore").write_text("a.py\n")
    clock.now += RECHECK_S
    assert ignored(files, tmp_path, "a.py") == ".gitignore"
    (tmp_path / ".gitignore").unlink()
    clock.now += RECHECK_S
    assert ignored(files, tmp_path, "a.py") is None


def test_an_ignore_file_that_is_a_link_is_not_read(files: IgnoreFiles, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("!b.py\na.py\n")
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / ".gitignore").symlink_to(tmp_path / "elsewhere")
    assert ignored(files, tmp_path / "w", "a.py") is None


def test_one_that_cannot_be_read_withholds_everything_and_hangs_nobody(files: IgnoreFiles, tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    (tmp_path / "big" / ".gitignore").write_text("#" * (MAX_BYTES + 1))
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / ".foretypeignore")
    assert ignored(files, tmp_path, "big/a.py") == ".gitignore"
    assert ignored(files, tmp_path, "pipe/a.py") == ".foretypeignore"
    assert ignored(files, tmp_path, "a.py") is None


def test_what_is_outside_or_too_deep_is_withheld(files: IgnoreFiles, tmp_path: Path) -> None:
    assert files.ignored_by(str(tmp_path / "w"), str(tmp_path / "a.py")) is not None
    assert ignored(files, tmp_path, "a/" * 100 + "a.py") is not None


@pytest.mark.skipif(shutil.which("git") is None, reason="git is the oracle")
def test_git_ignores_the_same_files(tmp_path: Path, clock: Clock) -> None:
    rng = random.Random(3)
    names = ["a", "b", "c.py", "d.log", "build", ".x"]
    patterns = [
        "*.py",
        "!c.py",
        "/a",
        "a/",
        "b/*",
        "**/d.log",
        "a/**",
        "!a/b/",
        "build",
        "/build/",
        "!*.log",
        "a/b",
        "[ab]",
        "\\!x",
    ]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    for number in range(12):
        root = tmp_path / f"r{number}"
        folders = ["", "a", "a/b", "b", "build"]
        for folder in folders:
            (root / folder).mkdir(parents=True, exist_ok=True)
            if rng.random() < 0.6:
                (root / folder / ".gitignore").write_text("\n".join(rng.sample(patterns, 4)) + "\n")
        subprocess.run(["git", "init", "-q", root], check=True, env=environment)
        paths = [f"{folder}/{name}".lstrip("/") for folder in folders for name in names]
        files = [path for path in paths if not (root / path).is_dir()]
        for path in files:
            (root / path).write_text("")
        said = subprocess.run(
            ["git", "check-ignore", "--stdin"],
            input="\n".join(files),
            cwd=root,
            capture_output=True,
            text=True,
            env=environment,
        )
        ours = IgnoreFiles(clock, home=str(tmp_path))
        assert {path for path in files if ignored(ours, root, path)} == set(said.stdout.splitlines()), root
