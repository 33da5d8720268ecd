"""A real VS Code (code-server, headless Chromium) with the packed extension, the language server and the starter model.

Set FORETYPE_CODE_SERVER to what `scripts/setup_vscode.sh` made. One run of the editor serves all tests.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
VSIX = ROOT / "editors" / "vscode" / "foretype.vsix"
CODE_SERVER = os.environ.get("FORETYPE_CODE_SERVER", "")
ARTEFACTS = os.environ.get("FORETYPE_ARTEFACTS", "")
RUN_S = 360
"""Seconds for one run of the editor on two busy cores."""

pytestmark = [
    pytest.mark.skipif(not CODE_SERVER, reason="FORETYPE_CODE_SERVER names no code-server"),
    pytest.mark.timeout(RUN_S + 60),
]

USER_SETTINGS = {
    "editor.inlineSuggest.enabled": True,
    "editor.quickSuggestions": {"other": "off", "comments": "off", "strings": "off"},
    "editor.wordBasedSuggestions": "off",
    "editor.autoIndent": "none",
    "editor.minimap.enabled": False,
    "workbench.startupEditor": "none",
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "extensions.autoUpdate": False,
    "chat.disableAIFeatures": True,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
}

MACHINE_SETTINGS = {"foretype.server.path": str(Path(sys.executable).with_name("foretype-lsp"))}
"""A code-server is a remote machine to its window: settings of machine scope are its own, not the user's."""


class Run:
    """What one run of the editor showed, and the folder it ran in."""

    def __init__(self, seen: dict[str, Any], folder: Path) -> None:
        self.seen = seen
        self.folder = folder


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    # Short: the path of a unix socket has 107 bytes at most.
    folder = Path(tempfile.mkdtemp(prefix="ft-vscode-"))
    try:
        yield _run(folder)
    finally:
        if ARTEFACTS:
            shutil.copytree(
                folder,
                ARTEFACTS,
                dirs_exist_ok=True,
                ignore=lambda _, names: [n for n in names if n[-4:] not in (".png", ".log")],
            )
        shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path) -> Run:
    workspace = folder / "ws"
    (workspace / ".vscode").mkdir(parents=True)
    (workspace / "demo.py").write_text("def add(a, b):\n    return a + b\n\n\n")
    evil = workspace / "evil.sh"
    evil.write_text(f"#!/bin/sh\ntouch {folder}/evil-ran\n")
    evil.chmod(0o755)
    hostile = {
        "foretype.server.path": str(evil),
        "foretype.edge.urls": ["ws://127.0.0.1:9"],
        "foretype.local.enabled": False,
    }
    (workspace / ".vscode" / "settings.json").write_text(json.dumps(hostile))
    (folder / "data" / "User").mkdir(parents=True)
    (folder / "data" / "User" / "settings.json").write_text(json.dumps(USER_SETTINGS))
    (folder / "data" / "Machine").mkdir()
    (folder / "data" / "Machine" / "settings.json").write_text(json.dumps(MACHINE_SETTINGS))
    (folder / "config.toml").write_text("")
    node = Path(CODE_SERVER) / "node24" / "node_modules" / "node" / "bin"
    environment = {
        **os.environ,
        "PATH": f"{node}:{os.environ['PATH']}",
        "HOME": str(folder),
        "FORETYPE_CONFIG": str(folder / "config.toml"),
        "FORETYPE_STATE_DIR": str(folder / "state"),
        "FORETYPE_RUNTIME_DIR": str(folder / "run"),
        "FORETYPE_DATA_DIR": str(folder / "models"),
    }
    (folder / "run").mkdir(mode=0o700)
    program = Path(CODE_SERVER) / "server" / "node_modules" / ".bin" / "code-server"
    folders = ["--user-data-dir", str(folder / "data"), "--extensions-dir", str(folder / "ext")]
    subprocess.run([program, *folders, "--install-extension", str(VSIX)], env=environment, check=True, timeout=120)
    driver = [
        str(node / "node"),
        str(Path(__file__).with_name("drive.cjs")),
        CODE_SERVER,
        str(folder),
        str(_free_port()),
    ]
    done = subprocess.run(driver, env=environment, capture_output=True, text=True, timeout=RUN_S)
    assert done.returncode == 0, done.stderr[-4000:]
    return Run(json.loads(done.stdout), folder)


def test_the_status_item_says_that_the_local_model_answers(run: Run) -> None:
    assert run.seen["status"].startswith("Foretype, local")


def test_ghost_text_of_the_real_model_is_on_screen(run: Run) -> None:
    assert run.seen["ghost"].strip()


def test_tab_inserts_exactly_what_was_shown(run: Run) -> None:
    assert run.seen["accepted"].split("\n")[5] == f"    ret{run.seen['ghost']}"


def test_the_acceptance_reaches_the_servers_statistics(run: Run) -> None:
    assert "Accepted: 1" in run.seen["statistics"]


def test_ctrl_right_takes_one_word_and_the_rest_stays(run: Run) -> None:
    shown, rest, line = run.seen["second"], run.seen["rest"], run.seen["partly"].split("\n")[-1]
    taken = line.removeprefix("    ret")
    assert taken
    assert shown == taken + rest


def test_a_part_that_was_accepted_reaches_the_servers_statistics(run: Run) -> None:
    assert "Partly accepted: 1" in run.seen["statistics"]


def test_the_menu_offers_every_switch(run: Run) -> None:
    text = "\n".join(run.seen["menu"])
    for label in ("everywhere", "for plaintext", "in this workspace", "Statistics", "Restart", "Open the log"):
        assert label in text


def test_a_hostile_workspace_starts_no_program(run: Run) -> None:
    assert not (run.folder / "evil-ran").exists()
