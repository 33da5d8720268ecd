"""What a workspace may hold to redirect, widen, read outside, or keep the server busy; each comes to nothing.

What needs a real server is in `tests/system/test_hostile_workspace.py`, patterns and single rules in the tests of their
rooms.
"""

from __future__ import annotations

import io
import logging
import os
import socket
import sys
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server import logs
from lsp_server.doctor import Finding
from lsp_server.printable import printable
from lsp_server.privacy.files import Privacy, folder_path
from lsp_server.privacy.globs import MAX_PATTERNS, matches
from lsp_server.privacy.ignore_files import MAX_LEVELS, IgnoreFiles
from lsp_server.settings import PROJECT_FILE, Loaded, Settings, load_settings
from lsp_server.settings_layers import MAX_REFUSED
from lsp_server.workspace.scan import walk

CODE = "def add(a, b):\n    return a + b\n"
EVIL = "a\x1b]0;owned\x07\nERROR forged \u202egpj.py\x00"
"""Sets a terminal's title, begins a line, turns the direction of what follows, ends a C string."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="such names and files are not possible there")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "w"
    folder.mkdir()
    return folder


def privacy_of(workspace: Path, settings: Settings | None = None) -> Privacy:
    files = IgnoreFiles(lambda: 0.0, home=str(workspace.parent))
    return Privacy(lambda: [str(workspace)], lambda: settings or Settings(), lambda: 0.0, files)


def load(root: Path, **layers: object) -> Loaded:
    environ = {"FORETYPE_CONFIG": str(root.parent / "config.toml")}
    (root.parent / "config.toml").touch()
    return load_settings(root=root, environ=environ, policy_file=root / "none", **layers)  # type: ignore[arg-type]


# Names.


@given(st.text())
def test_a_printable_text_is_one_line_that_hides_nothing(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(text) == text or not text.isprintable()


@pytest.mark.usefixtures("own_root_logger")
def test_a_name_forges_no_line_of_the_log_and_moves_no_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    file = logs.set_up()
    assert file is not None
    logging.getLogger("lsp_server.tests").warning("%s matches a pattern.", EVIL)
    for text in (file.read_text(), shown.getvalue()):
        assert [line for line in text.splitlines() if "forged" in line] == text.splitlines()
        assert not set("\x1b\x07\u202e\x00") & set(text)


def test_neither_does_a_key_of_its_settings_nor_a_finding(workspace: Path) -> None:
    (workspace / PROJECT_FILE).write_text('"a\\u001b]0;owned\\u0007\\nERROR forged" = 1\n')
    (problem,) = load(workspace).problems
    assert str(problem).isprintable()
    assert str(Finding("warn", EVIL)).isprintable()


@pytest.mark.parametrize("path", ["a\nb/key.pem", "a\n/.env", "\n/x/id_rsa", "secret\n/a.py"])
def test_a_line_end_in_a_path_takes_it_out_of_no_pattern(workspace: Path, path: str) -> None:
    """A star matches no line end."""
    file = workspace / path
    file.parent.mkdir(parents=True)
    file.write_text(CODE)
    assert not privacy_of(workspace).may_leave(file, CODE)
    assert matches(("*.pem",), path)


@pytest.mark.parametrize("name", ["\u202eyp.a", "a\u200b.py", "ａ.py", "a\x1b.py", "a\x7f.py", "é.py"])
def test_odd_names_are_judged_like_others(workspace: Path, name: str) -> None:
    (workspace / ".gitignore").write_text("gen/\n")
    for folder in ("src", "gen"):
        (workspace / folder).mkdir()
        (workspace / folder / name).write_text(CODE)
    assert privacy_of(workspace).may_leave(workspace / "src" / name, CODE)
    assert not privacy_of(workspace).may_leave(workspace / "gen" / name, CODE)
    uri = (workspace / "gen" / name).as_uri()
    assert privacy_of(workspace).withheld_document(uri, CODE, len(CODE), 2) is not None


# Settings.


def test_a_projects_file_that_is_a_folder_or_a_socket_is_a_sentence(workspace: Path) -> None:
    (workspace / PROJECT_FILE).mkdir()
    assert "not a regular file" in str(load(workspace).problems[0])
    (workspace / PROJECT_FILE).rmdir()
    with tempfile.TemporaryDirectory(prefix="ft") as short, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{short}/s")
        os.rename(f"{short}/s", workspace / PROJECT_FILE)
        assert "not a regular file" in str(load(workspace).problems[0])


def test_a_projects_file_that_leads_to_a_device_is_not_read(workspace: Path) -> None:
    (workspace / PROJECT_FILE).symlink_to("/dev/zero")
    assert "not a regular file" in str(load(workspace).problems[0])


def test_a_projects_file_of_a_terabyte_is_not_read(workspace: Path) -> None:
    with (workspace / PROJECT_FILE).open("wb") as file:
        file.truncate(2**40)
    assert "at most" in str(load(workspace).problems[0])


@pytest.mark.timeout(10)
def test_ten_thousands_of_keys_cost_no_time_and_no_flood_of_messages(workspace: Path) -> None:
    keys = {f"key{number}": number for number in range(28_000)}
    (workspace / PROJECT_FILE).write_text("".join(f"{key} = 1\n" for key in list(keys)[:18_000]) + "enabled = false\n")
    loaded = load(workspace, workspace={**keys, "languages": ["go"]})
    assert len(loaded.problems) == 2 * (MAX_REFUSED + 1)
    assert (loaded.settings.enabled, loaded.settings.languages) == (False, frozenset({"go"}))


@pytest.mark.parametrize(
    "value",
    [10**400, -1, float("nan"), "x" * 10_000_000, ["x"] * 100_000, [["x"]] * 10, {"a": {"b": {}}}, "\ud800"],
    ids=["huge", "negative", "no number", "long", "many", "nested", "object", "half a sign"],
)
@pytest.mark.parametrize("key", ["enabled", "languages", "ignore"])
def test_values_that_make_no_sense_change_nothing(workspace: Path, key: str, value: object) -> None:
    assert load(workspace, workspace={key: value}).settings == load(workspace).settings


# Files and folders.


def test_an_ignore_file_of_a_terabyte_withholds_its_folder_unread(workspace: Path) -> None:
    with (workspace / ".gitignore").open("wb") as file:
        file.truncate(2**40)
    tracemalloc.start()
    try:
        assert not privacy_of(workspace).may_leave(workspace / "a.py", CODE)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.timeout(30)
def test_thousands_of_patterns_in_each_of_many_nested_folders_are_not_all_read(workspace: Path) -> None:
    patterns = "".join(f"**/a*b*c{number}/**/x\n" for number in range(MAX_PATTERNS))
    (workspace / "pattern").write_text(patterns)
    folder = workspace
    for _ in range(MAX_LEVELS - 4):
        folder /= "d"
        folder.mkdir()
        os.link(workspace / "pattern", folder / ".gitignore")
    (folder / "a.py").write_text(CODE)
    assert not privacy_of(workspace).may_leave(folder / "a.py", CODE)
    assert [found for found in walk(workspace) if found is not None] == []


def test_a_git_file_that_points_elsewhere_has_nothing_read_there(workspace: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "info").mkdir(parents=True)
    (elsewhere / "info" / "exclude").write_text("*\n")
    (workspace / ".git").write_text(f"gitdir: {elsewhere}\n")
    assert privacy_of(workspace).may_leave(workspace / "a.py", CODE)


def test_folders_that_lead_back_to_themselves_are_walked_once(workspace: Path) -> None:
    (workspace / "a").mkdir()
    (workspace / "a" / "b.py").write_text(CODE)
    (workspace / "a" / "again").symlink_to(workspace, target_is_directory=True)
    (workspace / "one").symlink_to("two")
    (workspace / "two").symlink_to("one")
    assert [found.path for found in walk(workspace) if found is not None] == ["a/b.py"]
    privacy = privacy_of(workspace)
    assert not privacy.may_leave(workspace / "one" / "a.py", CODE)
    deep = workspace / Path(*["a/again"] * 20) / "a" / "b.py"
    assert privacy.withheld_document(deep.as_uri(), CODE, len(CODE), 2) is None  # it is in the workspace, however named


def test_a_hard_link_to_a_key_is_known_by_its_text(workspace: Path, tmp_path: Path) -> None:
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n"
    (tmp_path / "id_ed25519").write_text(key)
    os.link(tmp_path / "id_ed25519", workspace / "notes.py")
    assert not privacy_of(workspace).may_leave(workspace / "notes.py", key)


# URIs.


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "10.0.0.1:445", "user@evil.example"])
def test_a_folder_of_another_machine_is_none_of_this_one(workspace: Path, host: str) -> None:
    root = f"file://{host}{workspace}"
    assert folder_path(root) == ""
    (workspace / PROJECT_FILE).write_text("enabled = false\n")
    privacy = Privacy(lambda: [root], lambda: Settings(), lambda: 0.0)
    assert not privacy.may_leave(workspace / "a.py", CODE)
    uri = f"file://{host}{workspace}/.env"
    assert privacy.withheld_document(uri, "A=1\n", 4, 1) is not None


def test_this_machine_by_its_name_is_this_machine(workspace: Path) -> None:
    assert folder_path(f"file://localhost{workspace}") == folder_path(workspace.as_uri()) == str(workspace)


@pytest.mark.parametrize("uri", ["file:////evil.example/share/.env", "file://[/.env", "file:///%2e%2e/%2eenv", "file:"])
def test_odd_uris_are_withheld_and_raise_nothing(workspace: Path, uri: str) -> None:
    assert privacy_of(workspace).withheld_document(uri, "A=1\n", 4, 1) is not None


def test_an_encoded_way_out_is_a_way_out(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / ".env").write_text("A=1\n")
    uri = f"{workspace.as_uri()}/%2e%2e/mine/%2Eenv"
    assert privacy_of(workspace).withheld_document(uri, "A=1\n", 4, 1) is not None
    assert not privacy_of(workspace).may_leave(f"{workspace}/../mine/a.py", CODE)
