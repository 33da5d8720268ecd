"""A real Emacs in tmux, with lsp-mode and the real language server; keys go in through the terminal."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import psutil

REPOSITORY: Final = Path(__file__).parents[3]
PACKAGE: Final = REPOSITORY / "editors" / "emacs"
SERVER: Final = Path(sys.executable).with_name("foretype-lsp")

WITHIN_S: Final = 30.0
"""Seconds for anything that takes a model: two slow cores may be busy with other tests."""
LOOK_S: Final = 0.05
"""Seconds between looks at a condition."""
CALL_S: Final = 20.0
WIDTH, HEIGHT = 100, 30

GHOST: Final = """
(when (lsp-inline-completion--active-p)
  (lsp-get (elt lsp-inline-completion--items lsp-inline-completion--current) :insertText))
"""


def installed() -> Path | None:
    """The program: set in the environment, or put there by scripts/setup_emacs.sh."""
    named = os.environ.get("FORETYPE_EMACS")
    path = Path(named) if named else REPOSITORY / ".venv-emacs" / "bin" / "emacs"
    return path if path.exists() else None


class Emacs:
    """One editor in `folder`."""

    def __init__(self, program: Path, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self._client = program.with_name("emacsclient")
        self._name = f"ft-{os.getpid()}-{folder.name}"
        init = folder / "init.el"
        init.write_text(
            f"""
(setq inhibit-startup-screen t make-backup-files nil auto-save-default nil create-lockfiles nil
      server-socket-dir "{folder}" lsp-session-file "{folder}/session"
      lsp-auto-guess-root t lsp-enable-suggest-server-download nil lsp-warn-no-matched-clients nil)
(add-to-list 'load-path "{PACKAGE}")
(require 'server)
(load "lsp-mode-autoloads" t t)
(require 'foretype)
(setq foretype-command '("{SERVER}" "--stdio"))
(add-hook 'python-mode-hook #'lsp)
(server-start)
"""
        )
        exports = [f"{name}={shlex.quote(value)}" for name, value in environment.items()]
        command = " ".join(["exec", "env", *exports, shlex.quote(str(program)), "-nw", "-Q", "-l", str(init)])
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(WIDTH), "-y", str(HEIGHT), command)
        self._tmux("set-option", "-s", "escape-time", "0")
        self.until(lambda: (folder / "server").exists(), "Emacs to listen")

    def open(self, text: str, name: str = "sums.py") -> None:
        """Edit a new file with `text` and the cursor at its end; the server is ready."""
        path = self.folder / name
        path.write_text(text)
        self.lisp(f'(progn (find-file "{path}") (goto-char (point-max)) (switch-to-buffer (current-buffer)) t)')
        self.until(lambda: self.here("foretype-ghost-mode"), "foretype-lsp")
        self.until(lambda: self.here("foretype-state") in ("local", "off"), "a source")

    # What a person does.

    def keys(self, *names: str) -> None:
        """Press keys by tmux's names: Tab, C-g, C-Right."""
        self._tmux("send-keys", *names)

    def type(self, text: str) -> None:
        """Type literal text."""
        self._tmux("send-keys", "-l", text)

    # What a person sees.

    def screen(self) -> str:
        """The terminal's text."""
        return self._tmux("capture-pane", "-p").stdout

    def ghost(self) -> str | None:
        """The suggestion that lsp-mode shows; None if there is none."""
        ghost: str | None = self.here(GHOST)
        return ghost

    def until_ghost(self) -> str:
        """Wait for a suggestion, on the screen as well; its text."""
        self.until(lambda: self.ghost() is not None, "ghost text")
        ghost = self.ghost()
        assert ghost is not None
        first = ghost.split("\n")[0].rstrip()
        self.until(lambda: first in self.screen(), f"{first!r} on the screen")
        return ghost

    @property
    def text(self) -> str:
        """The whole buffer."""
        text: str = self.here("(buffer-substring-no-properties (point-min) (point-max))")
        return text

    def messages(self) -> str:
        """The buffer *Messages*."""
        text: str = self.lisp('(with-current-buffer "*Messages*" (buffer-string))')
        return text

    def here(self, code: str) -> Any:
        """The value of Lisp code in the buffer of the window."""
        return self.lisp(f"(with-current-buffer (window-buffer (frame-first-window)) {code})")

    def lisp(self, code: str) -> Any:
        """The value of Lisp code, by way of JSON. Fails with Emacs's message."""
        encoded = f"(base64-encode-string (encode-coding-string (json-encode {code}) 'utf-8) t)"
        command = [str(self._client), "-s", str(self.folder / "server"), "--eval", encoded]
        done = subprocess.run(command, capture_output=True, text=True, timeout=CALL_S, check=False)
        while done.returncode and "Quit" in done.stdout + done.stderr:  # a C-g that met the question itself
            done = subprocess.run(command, capture_output=True, text=True, timeout=CALL_S, check=False)
        if done.returncode:
            raise AssertionError(f"{code}\n{done.stdout}{done.stderr}\n{self.screen()}")
        value = json.loads(base64.b64decode(done.stdout.strip().strip('"')))
        return None if value is False else value

    def until(self, condition: Callable[[], Any], what: str = "a condition") -> None:
        """Wait for a condition. Fails with the screen."""
        deadline = time.monotonic() + WITHIN_S
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"Waited {WITHIN_S:.0f} s for {what}; the screen:\n{self.screen()}")
            time.sleep(LOOK_S)

    def quit(self) -> None:
        """End it and its own tmux server. An Emacs that loses its terminal may spin instead of leaving."""
        ours = [each for each in psutil.process_iter(["name", "cmdline"]) if self._is_ours(each)]
        self._tmux("kill-server", check=False)
        for process in ours:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def _is_ours(self, process: psutil.Process) -> bool:
        return "emacs" in process.info["name"] and str(self.folder / "init.el") in (process.info["cmdline"] or [])

    def _tmux(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = ["tmux", "-u", "-L", self._name, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=check, timeout=CALL_S)
