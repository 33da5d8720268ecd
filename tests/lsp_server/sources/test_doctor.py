"""What `foretype-lsp doctor` finds, and its exit code."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from fake_peer import PATIENCE, FakePeer, echo

from lsp_server import doctor
from lsp_server.doctor import Finding, check_edge, check_editors, check_folders, check_local, check_settings
from lsp_server.settings import EdgeSettings, Loaded, LocalSettings, Settings
from lsp_server.settings_layers import Problem
from lsp_server.sources.local import LocalSource
from wire_protocol.frames import Complete, Done, Error, ModelInfo, Welcome

WORKER = str(Path(__file__).parent / "fake_worker.py")


@pytest.fixture(autouse=True)
def private(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Private folders and a fake worker; what was started is killed."""
    with tempfile.TemporaryDirectory(prefix="ft") as name:
        folder = Path(name)
        monkeypatch.setenv("FORETYPE_STATE_DIR", str(folder / "state"))
        monkeypatch.setenv("FORETYPE_RUNTIME_DIR", str(folder / "run"))
        monkeypatch.setenv("FORETYPE_CONFIG", str(folder / "config.toml"))
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
        yield folder
        for line in (folder / "starts").read_text().split() if (folder / "starts").exists() else []:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(line), signal.SIGKILL)


def use_worker(monkeypatch: pytest.MonkeyPatch, folder: Path, mode: str) -> None:
    command = [sys.executable, WORKER, mode, str(folder / "starts")]
    monkeypatch.setattr(doctor, "LocalSource", partial(LocalSource, command=command))
    monkeypatch.setattr(doctor, "missing", lambda model: None)
    monkeypatch.setattr(doctor, "model_file", lambda model: None)


async def edge_findings(*urls: str, local: bool = False) -> list[Finding]:
    settings = Settings(edge=EdgeSettings(urls, "tok-en"), local=LocalSettings(enabled=local))
    return [finding async for finding in check_edge(settings)]


async def test_a_good_edge_is_measured_and_answers(edge: FakePeer) -> None:
    edge.on_hello = lambda hello: Welcome(session="s", models=[ModelInfo(name="big")])
    edge.answer = echo("a + b")
    reached, answers = await edge_findings(edge.url)
    assert (reached.level, answers.level) == ("ok", "ok")
    assert "ms round trip, big" in reached.what
    assert "answers (fake" in answers.what


async def test_an_edge_without_a_working_model_fails_unless_there_is_a_local_one(edge: FakePeer) -> None:
    edge.answer = lambda complete: [Done(id=complete.id, reason="shed", message="No worker.")]
    assert [finding.level for finding in await edge_findings(edge.url)] == ["ok", "fail"]
    assert [finding.level for finding in await edge_findings(edge.url, local=True)] == ["ok", "warn"]
    assert "No worker." in (await edge_findings(edge.url))[1].what


async def test_nothing_of_the_users_is_sent(edge: FakePeer) -> None:
    edge.answer = echo("x")
    await edge_findings(edge.url)
    assert (await edge.next(Complete)).context == doctor.SAMPLE


async def test_a_wrong_token_fails_and_says_where_to_set_it(edge: FakePeer) -> None:
    edge.on_hello = lambda hello: Error(code="auth", message="Unknown token.")
    (finding,) = await edge_findings(edge.url)
    assert finding.level == "fail"
    assert "edge.token" in finding.what
    assert "tok-en" not in str(finding)


async def test_an_edge_that_is_not_there_fails_and_the_next_is_still_checked(edge: FakePeer) -> None:
    edge.answer = echo("x")
    findings = await edge_findings("ws://127.0.0.1:9/v1/session", edge.url)
    assert [finding.level for finding in findings] == ["fail", "ok", "ok"]
    assert "foretype-proxy" in findings[0].do


async def test_no_edge_is_fine_with_a_local_model_and_a_failure_without() -> None:
    assert [finding.level for finding in await edge_findings(local=True)] == ["ok"]
    assert [finding.level for finding in await edge_findings(local=False)] == ["fail"]


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@pytest.mark.parametrize(("mode", "level"), [("serve", "ok"), ("crash", "fail")])
async def test_the_local_worker_is_started_and_asked(
    private: Path, monkeypatch: pytest.MonkeyPatch, mode: str, level: str
) -> None:
    use_worker(monkeypatch, private, mode)
    findings = [finding async for finding in check_local(Settings(), PATIENCE)]
    assert findings[-1].level == level
    assert ("answers" if level == "ok" else "the model is broken") in findings[-1].what


async def test_a_missing_model_is_a_failure_only_without_an_edge() -> None:
    local = LocalSettings(model="/nowhere/none.gguf")
    alone = [finding async for finding in check_local(Settings(local=local), PATIENCE)]
    beside = [f async for f in check_local(Settings(local=local, edge=EdgeSettings(("ws://e/",))), PATIENCE)]
    assert [(finding.level, "none.gguf" in finding.what) for finding in (*alone, *beside)] == [
        ("fail", True),
        ("warn", True),
    ]


def test_each_problem_of_the_settings_is_a_warning() -> None:
    loaded = Loaded(Settings(enabled=False), (Problem("config.toml:3", "x", "`x` is not a setting."),))
    findings = list(check_settings(loaded))
    assert [finding.level for finding in findings] == ["ok", "warn", "warn"]
    assert "config.toml:3" in findings[1].what


def test_an_unusable_folder_is_a_failure(private: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (private / "file").write_text("")
    monkeypatch.setenv("FORETYPE_STATE_DIR", str(private / "file" / "x"))
    assert [finding.level for finding in check_folders()] == ["fail", "ok"]


def test_editors_on_the_path_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: "/bin/nvim" if program == "nvim" else None)
    assert check_editors() == Finding("ok", "editors found: Neovim")
    monkeypatch.setattr(shutil, "which", lambda program: None)
    assert check_editors().level == "warn"


def test_the_exit_code_says_whether_something_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORETYPE_LOCAL_ENABLED", "false")
    monkeypatch.delenv("FORETYPE_CONFIG")
    assert doctor.run([]) == 1
    assert "fail  neither an edge nor the local model → set edge.urls" in capsys.readouterr().out
