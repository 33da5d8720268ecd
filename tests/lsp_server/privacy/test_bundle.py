"""`doctor --report` and `doctor FILE`: what is in them, and what is not."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from lsp_server import doctor
from lsp_server.privacy.bundle import address, write_report
from lsp_server.privacy.explain import explain
from lsp_server.privacy.policy import Policy
from lsp_server.privacy.scrub import scrubbed, scrubbed_line
from lsp_server.settings import EdgeSettings, Loaded, Settings, load_settings

LOG = [
    "2026-01-01 10:00:00,000 7 INFO lsp_server.server: file:///home/mia/secret_project/a.py matches a pattern",
    "2026-01-01 10:00:01,000 7 INFO lsp_server.code: to the edge: a.py: 'SENTINEL' | ''",
    "SENTINEL of a second line",
    "2026-01-01 10:00:02,000 7 WARNING lsp_server.x: cannot read /home/mia/w/b.py, token=ghp_16C7e42F292c6912E7710c83",
]


def test_lines_with_code_are_left_out_and_names_and_secrets_are_not_shown() -> None:
    lines = list(scrubbed(LOG, "/home/mia", "mia"))
    text = "\n".join(lines)
    assert len(lines) == 2
    assert "SENTINEL" not in text
    assert "secret_project" not in text
    assert "file:….py matches" in text
    assert "/home/mia" not in text
    assert "16C7e42F" not in text


def test_a_name_is_left_out_where_it_stands_alone() -> None:
    assert scrubbed_line("mia says miami", "/", "mia") == "USER says miami"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("wss://e.example:9/v1/session?key=abc", "wss://e.example:9/…"),
        ("http://me:pw@proxy.example:3128", "http://proxy.example:3128/…"),
        ("wss://[::1]:9/x", "wss://[::1]:9/…"),
        ("wss://[", "not an address"),
    ],
)
def test_of_an_address_the_host_is_shown(url: str, shown: str) -> None:
    assert address(url) == shown


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    monkeypatch.setenv("FORETYPE_STATE_DIR", str(folder))
    monkeypatch.setenv("HOME", "/home/mia")
    return folder


def test_a_report_holds_what_it_says_and_no_secret(state: Path, tmp_path: Path) -> None:
    (state / "lsp.log").write_text("\n".join(LOG))
    (state / "stats.json").write_text("{}")
    (state / "install.key").write_text("SENTINEL")
    (state / "worker-x.log").symlink_to(state / "install.key")
    settings = replace(Settings(), edge=EdgeSettings(("wss://e.example/v1/session?k=SENTINEL",), "SENTINEL-token"))
    target = tmp_path / "r.zip"
    said = write_report(target, Loaded(settings), ["ok    settings read from /home/mia/.config/foretype/config.toml"])
    with zipfile.ZipFile(target) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert {line.partition(":")[0] for line in said} == set(texts)
    assert set(texts) == {
        "README.txt",
        "versions.txt",
        "settings.json",
        "doctor.txt",
        "statistics.json",
        "logs/lsp.log",
    }
    assert not [name for name, text in texts.items() if "SENTINEL" in text or "/home/mia" in text]
    assert json.loads(texts["settings.json"])["settings"]["edge"]["token"] == "set"
    assert "python 3" in texts["versions.txt"]
    assert target.stat().st_mode & 0o077 == 0


def test_a_report_overwrites_nothing(state: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine.zip"
    target.write_text("mine")
    with pytest.raises(FileExistsError):
        write_report(target, Loaded(), [])
    assert target.read_text() == "mine"


def explained(file: Path, loaded: Loaded) -> str:
    return "\n".join(explain(file, file.parent, loaded))


def test_doctor_says_where_a_file_goes_and_which_lines_are_masked(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text('x = 1\npassword = "hunter2"\n')
    edge = replace(Settings(), edge=EdgeSettings(("wss://e.example/v1/session",)))
    said = explained(file, Loaded(edge))
    assert "wss://e.example" in said
    assert "to the local model" in said
    assert "masked lines: 1" in said
    assert "2: password" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        (".env", Settings(), "file of secrets"),
        ("a.py", Settings(enabled=False), "switched off"),
        ("a.py", Settings(languages=frozenset({"go"})), "languages"),
        ("a.py", Settings(forbidden=("*.py",)), "administrator"),
        ("a.py", Settings(ignore=("a.py",)), "ignore"),
    ],
)
def test_doctor_says_why_a_file_goes_nowhere(tmp_path: Path, name: str, settings: Settings, words: str) -> None:
    (tmp_path / name).write_text("x = 1\n")
    said = explained(tmp_path / name, Loaded(settings))
    assert "sent nowhere" in said
    assert words in said


def test_doctor_says_why_an_edge_is_not_used_for_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "policy.toml").write_text('allowed_edge_hosts = ["a.example"]\n')
    environ = {"FORETYPE_EDGE_URLS": "wss://b.example", "XDG_CONFIG_HOME": str(tmp_path)}
    said = explained(tmp_path / "a.py", load_settings(environ=environ, policy_file=tmp_path / "policy.toml"))
    assert "does not allow the edge" in said
    assert "to wss://b.example" not in said


def test_doctor_says_what_the_policy_forbids() -> None:
    policy = Policy(edge=False, files=("/etc/foretype/policy.toml",))
    said = [str(finding) for finding in doctor.check_settings(Loaded(policy=policy))]
    assert any("policy.toml: no edge may be used" in line for line in said)


def test_doctor_of_a_file_that_is_none_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.run([str(tmp_path / "missing.py")]) == 2
    assert "does not exist" in capsys.readouterr().err
