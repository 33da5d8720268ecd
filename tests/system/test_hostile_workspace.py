"""A workspace that wants more than completions: to redirect, to widen, to read outside, to run something. It gets none.

What needs no real process is tested in `tests/lsp_server/privacy`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from edge_session import Session
from recording_edge import FakeEdge

CODE = "def add(a, b):\n    return a + b\n"
OUTSIDE = "OUTSIDE_THE_WORKSPACE = 1\n"


@pytest.fixture
async def edges() -> AsyncIterator[tuple[FakeEdge, FakeEdge]]:
    """The person's own edge, and the one that the workspace wants."""
    own, evil = FakeEdge(), FakeEdge()
    await own.start()
    await evil.start()
    yield own, evil
    await own.stop()
    await evil.stop()


@pytest.fixture
async def session(folder: Path, edges: tuple[FakeEdge, FakeEdge]) -> AsyncIterator[Session]:
    workspace = folder / "workspace"
    workspace.mkdir()
    made = Session(folder, workspace, edges[0])
    yield made
    await made.client.stop()


async def test_a_project_cannot_have_code_sent_elsewhere(session: Session, edges: tuple[FakeEdge, FakeEdge]) -> None:
    own, evil = edges
    host = evil.url.removesuffix("/v1/session")
    (session.workspace / ".foretype.toml").write_text(
        f'[edge]\nurls = ["{evil.url}"]\nproxy = "{host.replace("ws", "http")}"\nca_file = "/etc/passwd"\n'
        "[telemetry]\nenabled = true\n[local]\nenabled = true\nmodel = './model.gguf'\n"
    )
    (session.workspace / ".vscode").mkdir()
    (session.workspace / ".vscode" / "settings.json").write_text(json.dumps({"foretype.edge.urls": [evil.url]}))
    await session.start()
    await session.complete("a.py", "python", CODE)
    pushed = {"settings": {"foretype": {"edge": {"urls": [evil.url]}, "telemetry": {"enabled": True}}}}
    session.client.notify("workspace/didChangeConfiguration", pushed)
    await session.complete("b.py", "python", CODE)
    assert {context.path for context in own.contexts} == {"a.py", "b.py"}
    assert evil.messages == []


async def test_a_link_out_of_the_workspace_is_not_followed(
    session: Session, edges: tuple[FakeEdge, FakeEdge], folder: Path
) -> None:
    own, _ = edges
    (folder / "outside.py").write_text(OUTSIDE)
    (folder / "private").mkdir()
    (folder / "private" / "mod.py").write_text(OUTSIDE)
    (session.workspace / "link.py").symlink_to(folder / "outside.py")
    (session.workspace / "pkg").symlink_to(folder / "private", target_is_directory=True)
    await session.start()
    await session.complete("link.py", "python", OUTSIDE)
    await session.complete("pkg/mod.py", "python", OUTSIDE)
    await session.complete("a.py", "python", "from link import OUTSIDE_THE_WORKSPACE\nfrom pkg.mod import x\n")
    await session.complete("x/../../outside.env", "python", OUTSIDE)
    assert {context.path for context in own.contexts} == {"a.py"}
    assert "= 1" not in own.seen()


async def test_ignore_files_that_would_hang_or_widen_do_neither(
    session: Session, edges: tuple[FakeEdge, FakeEdge]
) -> None:
    own, _ = edges
    bomb = "*a" * 40 + "b\n" + "**/" * 40 + "c\n"
    (session.workspace / ".gitignore").write_text(bomb * 20)
    (session.workspace / ".foretypeignore").write_text("!.env\n!*.pem\n!secret/**\n" + bomb)
    (session.workspace / "pipe").mkdir()
    os.mkfifo(session.workspace / "pipe" / ".gitignore")
    await session.start()
    await session.complete("a" * 100 + ".py", "python", CODE)
    await session.complete(".env", "shellscript", "A=1\n")
    await session.complete("pipe/a.py", "python", CODE)
    await session.complete("b.py", "python", CODE)
    assert {"b.py"} <= {context.path for context in own.contexts} <= {"b.py", "a" * 100 + ".py"}


def test_nothing_of_the_workspace_is_run_by_a_server_started_in_it(folder: Path) -> None:
    workspace = folder / "workspace"
    workspace.mkdir()
    marker = folder / "run"
    trap = f"open({str(marker)!r}, 'w').close()\n"
    for name in ("lsp_server", "wire_protocol", "pygls", "gpu_worker"):
        (workspace / name).mkdir()
        (workspace / name / "__init__.py").write_text(trap)
    for name in ("sitecustomize", "usercustomize", "logging", "json", "conftest"):
        (workspace / f"{name}.py").write_text(trap)
    (workspace / ".git").mkdir()
    (workspace / ".git" / "config").write_text(f"[core]\n\tfsmonitor = touch {marker}\n\tsshCommand = touch {marker}\n")
    (workspace / "a.py").write_text(CODE)
    program = Path(sys.executable).parent / "foretype-lsp"
    if not program.exists():
        pytest.skip("foretype-lsp is not installed beside this Python")
    (workspace / "foretype-worker").write_text(f"#!/bin/sh\ntouch {marker}\n")
    (workspace / "foretype-worker").chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FORETYPE"))}
    environment |= {
        "FORETYPE_STATE_DIR": str(folder / "state"),
        "FORETYPE_RUNTIME_DIR": str(folder / "r"),
        "FORETYPE_LOCAL_ENABLED": "0",
        "FORETYPE_EDGE_URLS": "ws://127.0.0.1:9",
    }
    message = json.dumps({"id": 1, "jsonrpc": "2.0", "method": "initialize", "params": {"capabilities": {}}})
    framed = f"Content-Length: {len(message)}\r\n\r\n{message}".encode()

    def started(*arguments: str) -> bytes:
        done = subprocess.run(
            [program, *arguments], cwd=workspace, env=environment, input=framed, capture_output=True, timeout=30
        )
        return done.stdout

    started("complete", "a.py:1:1", "--timeout", "0.1")
    assert b"masked lines" in started("doctor", "a.py")
    assert b'"capabilities"' in started("--stdio")
    assert not marker.exists()
