"""A model pulled from a stand-in hub is the local model: real processes, the real starter under another name."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from stack import Stack, run_command
from stand_in_hub import Repo, StandInHub

from lsp_server.sources.local_process import model_file

CODE = "def add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n    return a"
HUGE = 2**40
"""Bytes: more memory than any machine that runs this test has."""


def starter() -> Path:
    file = model_file("starter")
    assert file is not None
    return file


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture
def environment(stack: Stack) -> dict[str, str]:
    (stack.folder / "config.toml").write_text("")
    (stack.folder / "sums.py").write_text(CODE)
    return {
        **stack.environment,
        "FORETYPE_DATA_DIR": str(stack.folder / "data"),
        "FORETYPE_LOCAL_MODEL": "another-name",
        "NO_PROXY": "127.0.0.1",
        "HF_TOKEN": "",
    }


async def complete(stack: Stack, environment: dict[str, str]) -> tuple[int, str, str]:
    place = f"{stack.folder / 'sums.py'}:6:13"
    return await run_command("lsp_server", "complete", place, environment=environment, seconds=90)


async def test_a_pulled_model_answers_through_local_model(stack: Stack, environment: dict[str, str]) -> None:
    hub, data = StandInHub(), starter().read_bytes()
    hub.repos["owner/code-GGUF"] = Repo({"another-name.gguf": data})
    with hub.running():
        status, out, err = await run_command(
            "lsp_server", "models", "pull", "owner/code-GGUF", environment={**environment, "HF_ENDPOINT": hub.url}
        )
    assert status == 0, err
    assert sha256(Path(out.strip())) == sha256(starter())

    status, out, err = await complete(stack, environment)
    assert (status, bool(out.strip())) == (0, True), err
    assert "source local" in err
    worker = stack.local_worker()
    assert worker is not None
    assert str(stack.folder / "data") in " ".join(worker.cmdline())


async def test_a_name_that_was_not_pulled_is_one_sentence(stack: Stack, environment: dict[str, str]) -> None:
    status, out, err = await complete(stack, environment)
    assert (status, out) == (1, "")
    assert "no model `another-name` on this machine: `foretype-lsp models list`" in err
    assert "Traceback" not in err


async def test_a_model_larger_than_the_memory_is_refused_by_the_worker_and_said(
    stack: Stack, environment: dict[str, str]
) -> None:
    huge = stack.folder / "huge.gguf"
    huge.write_bytes(starter().read_bytes())
    with huge.open("r+b") as file:
        file.truncate(HUGE)  # sparse: it takes no room on the disk
    environment["FORETYPE_LOCAL_MODEL"] = str(huge)
    status, out, err = await complete(stack, environment)
    assert (status, out) == (1, "")
    assert "The local model cannot be used: huge.gguf needs about 1024" in err
    assert "choose a smaller model" in err
    log = (stack.folder / "state" / "lsp.log").read_text()
    assert "huge.gguf needs about 1024" in log
    status, out, _ = await run_command("lsp_server", "doctor", "--timeout", "30", environment=environment)
    assert status == 1
    assert "huge.gguf needs about 1024" in out
