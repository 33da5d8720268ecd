"""Fixtures of the Neovim tests: each installed Neovim with the real language server and the real starter model."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psutil
import pytest

from tests.editors.nvim.neovim import SERVER, Neovim, installed

VERSIONS = ("0.10", "0.12")
GONE_S = 10.0


@pytest.fixture(scope="session", params=VERSIONS)
def program(request: pytest.FixtureRequest) -> str:
    """The program of each Neovim; skips where it is not installed."""
    found = installed(request.param)
    if found is None:
        pytest.skip(f"Neovim {request.param} is not installed: run scripts/setup_nvim.sh.")
    return found


@pytest.fixture(scope="session")
def shared_folder() -> Iterator[Path]:
    """A folder with a short path, since sockets are in it. What was started with it in its environment ends after."""
    folder = Path(tempfile.mkdtemp(prefix="ft-"))
    yield folder
    ours = [process for process in psutil.process_iter() if _runs_in(process, folder)]
    for process in ours:
        process.terminate()
    psutil.wait_procs(ours, timeout=GONE_S)
    shutil.rmtree(folder, ignore_errors=True)


def _runs_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.environ().get("FORETYPE_RUNTIME_DIR") == str(folder / "run")
    except psutil.Error:
        return False


@pytest.fixture(scope="session")
def environment(shared_folder: Path) -> dict[str, str]:
    """Nothing of this machine's Foretype is used; all editors share one local worker, as in life."""
    return {
        "FORETYPE_CONFIG": str(shared_folder / "config.toml"),
        "FORETYPE_RUNTIME_DIR": str(shared_folder / "run"),
        "FORETYPE_STATE_DIR": str(shared_folder / "state"),
        "FORETYPE_DATA_DIR": str(shared_folder / "models"),
        "XDG_CONFIG_HOME": str(shared_folder / "config"),
    }


_numbers = count()

Start = Callable[..., Neovim]


@pytest.fixture
def start(program: str, shared_folder: Path, environment: dict[str, str]) -> Iterator[Start]:
    """Start editors, with options of setup as Lua; all end with the test."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed (Debian: apt install tmux).")
    if not SERVER.exists():
        pytest.skip("foretype-lsp is not installed beside this Python: run `make setup`.")
    pytest.importorskip("llama_cpp", reason="the local model needs llama-cpp-python: run `make setup`.")
    (shared_folder / "config.toml").touch()
    running: list[Neovim] = []

    def make(options: str = "", before: str = "", root: Callable[[Path], None] | None = None) -> Neovim:
        folder = shared_folder / f"e{next(_numbers)}"
        folder.mkdir()
        (folder / ".git").mkdir()
        if root is not None:
            root(folder)
        running.append(Neovim(program, folder, environment, options, before))
        return running[-1]

    yield make
    for editor in running:
        editor.quit()
