"""Ghost text in a real Emacs with lsp-mode: shown, taken in whole and in parts, refused; read from the screen."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.editors.emacs.emacs import SERVER, Emacs, installed

CODE = '''"""Sums."""


def add(a, b):
    return a + b


def subtract(a, b):
    return'''

GONE_S = 10.0


@pytest.fixture(scope="module")
def machine() -> Iterator[Path]:
    """A user's folders; the local model that was started in them ends after."""
    folder = Path(tempfile.mkdtemp(prefix="ft-"))
    (folder / "config.toml").touch()
    yield folder
    ours = [process for process in psutil.process_iter() if _of(process, folder)]
    for process in ours:
        process.terminate()
    psutil.wait_procs(ours, timeout=GONE_S)
    shutil.rmtree(folder, ignore_errors=True)


def _of(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.environ().get("FORETYPE_RUNTIME_DIR") == str(folder / "run")
    except psutil.Error:
        return False


@pytest.fixture
def emacs(machine: Path, request: pytest.FixtureRequest) -> Iterator[Emacs]:
    """An editor with the cursor behind the last `return` of CODE."""
    program = installed()
    if program is None:
        pytest.skip("Emacs is not installed: run scripts/setup_emacs.sh.")
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed (Debian: apt install tmux).")
    if not SERVER.exists():
        pytest.skip("foretype-lsp is not installed beside this Python: run `make setup`.")
    pytest.importorskip("llama_cpp", reason="the local model needs llama-cpp-python: run `make setup`.")
    folder = machine / f"e{len(list(machine.iterdir()))}"
    folder.mkdir(mode=0o700)
    (folder / ".git").mkdir()
    editor = Emacs(
        program,
        folder,
        {
            "FORETYPE_CONFIG": str(machine / "config.toml"),
            "FORETYPE_RUNTIME_DIR": str(machine / "run"),
            "FORETYPE_STATE_DIR": str(machine / "state"),
            "HOME": str(folder),
        },
    )
    yield editor
    editor.quit()


def suggested(editor: Emacs) -> str:
    """Type the space after `return`; what is suggested then."""
    editor.open(CODE)
    editor.type(" ")
    return editor.until_ghost()


def test_ghost_text_is_on_the_screen_and_not_in_the_buffer(emacs: Emacs) -> None:
    ghost = suggested(emacs)
    assert f"    return {ghost.splitlines()[0]}" in emacs.screen()
    assert emacs.text == CODE + " "


def test_tab_inserts_exactly_what_was_shown(emacs: Emacs) -> None:
    ghost = suggested(emacs)
    emacs.keys("Tab")
    emacs.until(lambda: emacs.text != CODE + " ")
    assert emacs.text == CODE + " " + ghost


def test_one_word_is_taken_and_the_rest_stays(emacs: Emacs) -> None:
    ghost = suggested(emacs)
    emacs.keys("C-Right")
    emacs.until(lambda: emacs.text != CODE + " ")
    taken = emacs.text.removeprefix(CODE + " ")
    assert ghost.startswith(taken)
    assert 0 < len(taken) < len(ghost)
    emacs.until(lambda: emacs.ghost() is not None, "the rest")
    assert taken + (emacs.ghost() or "") == ghost


def test_a_key_that_contradicts_removes_it_at_once(emacs: Emacs) -> None:
    ghost = suggested(emacs)
    emacs.type("Z")
    emacs.until(lambda: emacs.text == CODE + " Z")
    assert emacs.ghost() != ghost
    assert f"return Z{ghost.splitlines()[0]}" not in emacs.screen()


def test_control_g_hides_it(emacs: Emacs) -> None:
    suggested(emacs)

    def hidden() -> bool:
        emacs.keys("C-g")  # once more if it only ended the question that this test was asking
        return emacs.ghost() is None

    emacs.until(hidden)
    assert emacs.text == CODE + " "


def test_typing_says_nothing_of_errors(emacs: Emacs) -> None:
    suggested(emacs)
    emacs.type("a - b")
    emacs.keys("Enter", "Enter")
    emacs.type("print(add(1, 2))")
    emacs.until(lambda: emacs.text.endswith("2))"))
    messages = emacs.messages()
    assert "Could not fetch" not in messages
    assert "rror" not in messages, messages


def test_an_accept_reaches_the_servers_statistics(emacs: Emacs) -> None:
    suggested(emacs)
    emacs.keys("Tab")
    emacs.until(lambda: emacs.text != CODE + " ")
    emacs.until(lambda: emacs.here('(lsp-get (lsp-request "foretype/stats" nil) :accepted)') == 1, "the accept")
