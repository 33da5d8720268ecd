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
RUN_S = 600
"""Seconds for one run of the editor on two busy cores."""

pytestmark = [
    pytest.mark.skipif(not CODE_SERVER, reason="FORETYPE_CODE_SERVER names no code-server"),
    pytest.mark.timeout(RUN_S + 60),
]

USER_SETTINGS = {
    "editor.inlineSuggest.enabled": True,
    "editor.quickSuggestions": {"other": "off", "comments": "off", "strings": "off"},
    "editor.wordBasedSuggestions": "off",
    "editor.minimap.enabled": False,
    "files.autoSave": "off",
    "editor.autoIndent": "none",
    "[typescript]": {"editor.wordBasedSuggestions": "currentDocument", "editor.autoIndent": "full"},
    "typescript.validate.enable": False,
    "javascript.validate.enable": False,
    "workbench.startupEditor": "none",
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "extensions.autoUpdate": False,
    "chat.disableAIFeatures": True,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
}

PYTHON = "def add(a, b):\n    return a + b\n\n\n"
TYPESCRIPT = "export function subtract(a: number, b: number): number {\n  return a - b;\n}\n\n"
FILES = {
    "demo.py": PYTHON,
    "shapes.ts": TYPESCRIPT + "export function add(a: number, b: number): number {\n",
    "steady.py": PYTHON + "def subtract(a, b):\n",
    "indented.ts": TYPESCRIPT,
    "menu.ts": TYPESCRIPT + "export function twice(a: number): number {\n",
    "toggle.py": PYTHON + "def subtract(a, b):\n",
    "outage.py": PYTHON + "def subtract(a, b):\n",
    "latency.py": PYTHON,
}
"""The workspace: a file for each scene of scenes.cjs."""

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
    for name, text in FILES.items():
        (workspace / name).write_text(text)
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
    port = _free_port()
    (folder / "config.toml").write_text(f'[edge]\nurls = ["ws://127.0.0.1:{port}/v1/session"]\n')
    worker = f"unix:{folder / 'worker.sock'}"
    programs = [
        [sys.executable, "-m", "gpu_worker", "--engine", "llama", "--model", "starter", "--listen", worker],
        [sys.executable, "-m", "edge_proxy", "--listen", f"127.0.0.1:{port}", "--worker", worker],
    ]
    (folder / "programs.json").write_text(json.dumps(programs))
    node = Path(CODE_SERVER) / "node24" / "node_modules" / "node" / "bin"
    environment = {
        **os.environ,
        "PATH": f"{node}:{os.environ['PATH']}",
        "HOME": str(folder),
        "FORETYPE_CONFIG": str(folder / "config.toml"),
        "FORETYPE_STATE_DIR": str(folder / "state"),
        "FORETYPE_RUNTIME_DIR": str(folder / "run"),
        "FORETYPE_DATA_DIR": str(folder / "models"),
        # The starter is often wrong; what of it is worth showing is another subject than how it is shown.
        "FORETYPE_WITHOUT": "confidence,survival",
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


def scene(run: Run, name: str) -> Any:
    """What a scene saw. Fails with its message if it did not come to its end."""
    assert name not in run.seen["failed"], run.seen["failed"][name]
    return run.seen[name]


def test_the_status_item_says_that_the_local_model_answers(run: Run) -> None:
    assert scene(run, "python")["status"].startswith("Foretype, local")


def test_ghost_text_of_the_real_model_is_on_screen(run: Run) -> None:
    assert scene(run, "python")["ghost"].strip()


def test_tab_inserts_exactly_what_was_shown(run: Run) -> None:
    python = scene(run, "python")
    assert python["accepted"].split("\n")[5] == f"    ret{python['ghost']}"


def test_undo_takes_the_whole_suggestion_back(run: Run) -> None:
    assert scene(run, "python")["undone"].split("\n")[5] == "    ret"


def test_the_acceptance_reaches_the_servers_statistics(run: Run) -> None:
    assert "Accepted: 1" in scene(run, "python")["statistics"]


def test_ctrl_right_takes_one_word_and_the_rest_stays(run: Run) -> None:
    python = scene(run, "python")
    taken = python["partly"].split("\n")[-1].removeprefix("    ret")
    assert taken
    assert python["second"] == taken + python["rest"]


def test_a_part_that_was_accepted_reaches_the_servers_statistics(run: Run) -> None:
    assert "Partly accepted: 1" in scene(run, "python")["statistics"]


def test_the_menu_offers_every_switch(run: Run) -> None:
    text = "\n".join(scene(run, "python")["menu"])
    for label in ("everywhere", "for plaintext", "in this workspace", "Statistics", "Restart", "Open the log"):
        assert label in text


def test_in_typescript_tab_inserts_exactly_what_was_shown(run: Run) -> None:
    typescript = scene(run, "typescript")
    assert typescript["ghost"].strip()
    assert f"  ret{typescript['ghost']}" in typescript["accepted"]


def test_typing_through_never_changes_what_is_on_screen(run: Run) -> None:
    steady = scene(run, "steady")
    assert steady["through"]["count"] > 20
    assert steady["through"]["texts"] == [f"    ret{steady['ghost']}"]


def test_in_a_line_that_the_editor_indented_the_suggestion_is_steady(run: Run) -> None:
    indented = scene(run, "indented")
    assert indented["samples"]["texts"] == [f"  ret{indented['ghost']}"]


def test_tab_takes_the_item_of_the_open_menu_and_nothing_else(run: Run) -> None:
    assert scene(run, "menuAndGhost")["taken"].rstrip().split("\n")[-1] == "  return subtract"


def test_switched_off_nothing_is_asked_and_nothing_is_shown(run: Run) -> None:
    toggled = scene(run, "toggled")
    assert toggled["off"].startswith("Foretype, off")
    assert (toggled["ghosts"], toggled["after"]) == (0, toggled["before"])


def test_switched_on_again_suggestions_come(run: Run) -> None:
    assert scene(run, "toggled")["on"].strip()


def test_the_status_goes_online_with_a_proxy_and_local_again_after_kill_9(run: Run) -> None:
    outage = scene(run, "outage")
    states = [outage[name].split(":")[0] for name in ("before", "online", "local")]
    assert [state.split(",")[1].split()[0] for state in states] == ["local", "online", "local"]


def test_suggestions_go_on_after_the_proxy_was_killed_and_no_error_is_shown(run: Run) -> None:
    outage = scene(run, "outage")
    assert outage["edge"].strip()
    assert outage["ghost"].strip()
    assert outage["notices"] == 0


def test_key_to_ghost_text_was_measured_for_model_and_cache(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    times = scene(run, "latencies")
    unsaid = times.pop("unsaid")
    assert min(len(each) for each in times.values()) > unsaid
    with capsys.disabled():
        for source, values in times.items():
            ordered = sorted(values)
            p50, p95 = (_quantile(ordered, share) for share in (0.5, 0.95))
            print(f"\nkey to ghost text, {source}: {p50:.0f} ms median, {p95:.0f} ms p95")


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def test_a_hostile_workspace_starts_no_program(run: Run) -> None:
    assert not (run.folder / "evil-ran").exists()


def test_a_hostile_workspace_does_not_switch_the_local_model_off(run: Run) -> None:
    assert scene(run, "python")["status"].startswith("Foretype, local")
