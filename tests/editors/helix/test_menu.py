"""The suggestion in the completion menu of a real Helix, which has no ghost text; set up as editors/README.md says."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

REPOSITORY = Path(__file__).parents[3]
SERVER = Path(sys.executable).with_name("foretype-lsp")
WITHIN_S, LOOK_S, GONE_S = 30.0, 0.05, 10.0

ENTRY = re.compile(r"^ *~? +\S.* text *$", re.MULTILINE)
"""Helix draws an entry's label and its kind."""

CODE = '''"""Sums."""


def add(a, b):
    return a + b


def subtract(a, b):
    return'''


def configuration() -> str:
    """The TOML of editors/README.md, with the real server's path and no other server."""
    page = (REPOSITORY / "editors" / "README.md").read_text()
    shown = re.search(r"\*\*Helix\*\*.*?```toml\n(.*?)```", page, re.DOTALL)
    assert shown is not None
    return shown[1].replace('"foretype-lsp"', f'"{SERVER}"').replace('"pylsp", ', "")


class Helix:
    """One editor with one file, driven and read through tmux."""

    def __init__(self, program: Path, folder: Path, file: Path) -> None:
        self._name = f"ft-{os.getpid()}-hx"
        variables = {
            "FORETYPE_CONFIG": folder / "config.toml",
            "FORETYPE_RUNTIME_DIR": folder / "run",
            "FORETYPE_STATE_DIR": folder / "state",
            "XDG_CONFIG_HOME": folder,
            "XDG_CACHE_HOME": folder / "cache",
        }
        exports = [f"{name}={shlex.quote(str(value))}" for name, value in variables.items()]
        command = " ".join(["exec", "env", *exports, shlex.quote(str(program)), shlex.quote(str(file))])
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", "-c", str(folder), command)
        self._tmux("set-option", "-s", "escape-time", "0")

    def keys(self, *names: str) -> None:
        self._tmux("send-keys", *names)

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p").stdout

    def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"Waited {WITHIN_S:.0f} s for {what}; the screen:\n{self.screen()}")
            time.sleep(LOOK_S)

    def quit(self) -> None:
        self._tmux("kill-server", check=False)

    def _tmux(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = ["tmux", "-u", "-L", self._name, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=check, timeout=20)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A user's folders; what was started in them ends after."""
    path = Path(tempfile.mkdtemp(prefix="ft-"))
    (path / "config.toml").touch()
    (path / "helix").mkdir()
    (path / "helix" / "languages.toml").write_text(configuration())
    yield path
    ours = [process for process in psutil.process_iter() if _of(process, path)]
    for process in ours:
        process.terminate()
    psutil.wait_procs(ours, timeout=GONE_S)
    shutil.rmtree(path, ignore_errors=True)


def _of(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.environ().get("FORETYPE_RUNTIME_DIR") == str(folder / "run")
    except psutil.Error:
        return False


@pytest.fixture
def helix(folder: Path) -> Iterator[Helix]:
    """An editor in Insert mode with the cursor behind the last `return` of CODE."""
    named = os.environ.get("FORETYPE_HELIX")
    program = Path(named) if named else REPOSITORY / ".venv-helix" / "bin" / "hx"
    if not program.exists():
        pytest.skip("Helix is not installed: run scripts/setup_helix.sh.")
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed (Debian: apt install tmux).")
    pytest.importorskip("llama_cpp", reason="the local model needs llama-cpp-python: run `make setup`.")
    file = folder / "sums.py"
    file.write_text(CODE + "\n")
    editor = Helix(program, folder, file)
    editor.until(lambda: "def subtract" in editor.screen(), "the file")
    editor.keys("g", "e", "g", "l")
    editor.type("A ")
    editor.until(lambda: "    return " in editor.screen() and "INS" in editor.screen(), "Insert mode")
    yield editor
    editor.quit()


def in_the_menu(editor: Helix) -> str:
    """Ask for the menu until the suggestion is in it (the model may still be starting); the screen."""

    def there() -> object:
        editor.keys("C-x")
        time.sleep(10 * LOOK_S)  # a menu that is asked for again while it opens closes
        return ENTRY.search(editor.screen())

    editor.until(there, "the entry")
    return editor.screen()


def test_the_suggestion_is_an_entry_and_enter_inserts_it(helix: Helix, folder: Path) -> None:
    in_the_menu(helix)
    helix.keys("C-n")
    helix.keys("Enter")
    helix.keys("Escape")
    helix.type(":w")
    helix.keys("Enter")
    file = folder / "sums.py"
    helix.until(lambda: file.read_text() != CODE + "\n", "the saved file")
    inserted = file.read_text().removeprefix(CODE + " ")
    assert inserted.strip()
    assert file.read_text().startswith(CODE + " ")


def test_escape_leaves_the_text_alone(helix: Helix, folder: Path) -> None:
    in_the_menu(helix)
    helix.keys("Escape")
    helix.keys("Escape")
    helix.type(":w")
    helix.keys("Enter")
    file = folder / "sums.py"
    helix.until(lambda: file.read_text() != CODE + "\n", "the saved file")
    assert file.read_text() == CODE + " \n"
