"""Settings of a workspace of several folders: each folder's own, which narrow and never reach into another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest
from completion_fakes import FakeSource
from fake_client import FakeClient

from lsp_server.folder_settings import FolderSettings, read_folders
from lsp_server.privacy.files import Privacy
from lsp_server.settings import Loaded, Settings, load_settings

Load = Callable[..., Loaded]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """The real settings of a person whose file may be written to `config.toml`."""
    (tmp_path / "config.toml").touch()
    return partial(
        load_settings, environ={"FORETYPE_CONFIG": str(tmp_path / "config.toml")}, policy_file=tmp_path / "none"
    )


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    return tmp_path / "one", tmp_path / "two"


def read(load: Load, *folders: Path, window: object = None, scoped: dict[Path, object] | None = None) -> FolderSettings:
    by_uri = {folder.as_uri(): value for folder, value in (scoped or {}).items()}
    settings, _ = read_folders(
        load,
        [folder.as_uri() for folder in folders],
        window=window,  # type: ignore[arg-type]
        folders=by_uri,  # type: ignore[arg-type]
        initialization=None,
    )
    return settings


def test_each_folders_file_holds_in_that_folder_alone(load: Load, folders: tuple[Path, Path]) -> None:
    one, two = folders
    (one / ".foretype.toml").write_text("enabled = false\n")
    (two / ".foretype.toml").write_text('languages = ["go"]\nignore = ["gen/"]\n')
    settings = read(load, one, two)
    assert not settings.of_document((one / "a.py").as_uri()).enabled
    assert settings.of_document((two / "a.go").as_uri()).allows("go")
    assert not settings.of_document((two / "a.py").as_uri()).allows("python")
    assert settings.of_document((two / "a.go").as_uri()).ignore == ("gen/",)
    assert settings.of_document((one / "a.py").as_uri()).ignore == ()


def test_the_innermost_folder_decides(load: Load, folders: tuple[Path, Path]) -> None:
    one, _ = folders
    inner = one / "inner"
    inner.mkdir()
    (one / ".foretype.toml").write_text("enabled = false\n")
    settings = read(load, one, inner)
    assert settings.of_document((inner / "a.py").as_uri()).enabled
    assert not settings.of_document((one / "a.py").as_uri()).enabled
    assert not settings.of_document((one / "inner.py").as_uri()).enabled


def test_what_is_in_no_folder_has_the_persons_settings_where_there_are_several(
    load: Load, folders: tuple[Path, Path]
) -> None:
    one, two = folders
    (one / ".foretype.toml").write_text("enabled = false\n")
    assert read(load, one, two).of_document("untitled:Untitled-1").enabled
    assert not read(load, one).of_document("untitled:Untitled-1").enabled


def test_a_folder_takes_nothing_back_that_the_window_or_the_person_narrowed(
    load: Load, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    one, two = folders
    (tmp_path / "config.toml").write_text('languages = ["go", "rust"]\nignore = ["mine/"]\n')
    scoped = {one: {"enabled": True, "languages": ["python", "go"], "ignore": []}}
    settings = read(load, one, two, window={"enabled": False}, scoped=scoped)  # type: ignore[arg-type]
    here = settings.of_document((one / "a.go").as_uri())
    assert (here.enabled, here.languages, here.ignore) == (False, frozenset({"go"}), ("mine/",))


@pytest.mark.parametrize("hostile", [{"edge": {"urls": ["ws://evil.example"]}}, {"telemetry.enabled": True}])
def test_a_folder_sets_nothing_but_what_a_project_may(
    load: Load, folders: tuple[Path, Path], hostile: dict[str, object]
) -> None:
    one, two = folders
    settings = read(load, one, two, scoped={one: hostile})
    assert settings.of_document((one / "a.py").as_uri()) == settings.common == Settings()


def test_the_window_is_switched_off_only_when_all_of_it_is(load: Load, folders: tuple[Path, Path]) -> None:
    one, two = folders
    scoped: dict[Path, object] = {one: {"enabled": False}}
    assert read(load, one, two, scoped=scoped).window.enabled
    assert not read(load, one, two, window={"enabled": False}).window.enabled


def test_a_problem_of_the_persons_file_is_told_once(load: Load, folders: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("debounce_ms = -1\n")
    uris = [folder.as_uri() for folder in folders]
    _, problems = read_folders(load, uris, window=None, folders={}, initialization=None)
    assert [problem.key for problem in problems] == ["debounce_ms"]


def test_patterns_of_one_folder_withhold_nothing_in_another(load: Load, folders: tuple[Path, Path]) -> None:
    one, two = folders
    for folder in folders:
        (folder / "gen").mkdir()
    (one / ".foretype.toml").write_text('ignore = ["gen/"]\n')
    settings = read(load, one, two)
    privacy = Privacy(lambda: [str(one), str(two)], lambda: settings.window, of_folder=settings.of_folder)
    assert not privacy.may_leave(one / "gen" / "a.py", "x = 1\n")
    assert privacy.may_leave(two / "gen" / "a.py", "x = 1\n")
    (two / "link").symlink_to(one / "gen", target_is_directory=True)
    assert not privacy.may_leave(two / "link" / "a.py", "x = 1\n")


# Through the server.


@pytest.fixture
async def client(
    load: Load, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[FakeClient]:
    monkeypatch.setenv("FORETYPE_STATE_DIR", str(tmp_path / "state"))
    made = FakeClient(FakeSource(lambda context: "value\n", latency_s=0.0), load=load)
    made.folders = [folder.as_uri() for folder in folders]
    made.configuration = lambda scope: None
    yield made
    await made.stop()


async def suggests(client: FakeClient, file: Path) -> bool:
    uri = file.as_uri()
    client.open(uri=uri)
    items = await client.items(client.inline(uri=uri))
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    return bool(items)


async def until(client: FakeClient, file: Path, *, suggested: bool) -> None:
    while await suggests(client, file) is not suggested:
        await client.answer(client.request("foretype/stats"))


async def test_suggestions_come_in_one_folder_and_not_in_another(
    client: FakeClient, folders: tuple[Path, Path]
) -> None:
    one, two = folders
    (one / ".foretype.toml").write_text("enabled = false\n")
    await client.initialize()
    assert not await suggests(client, one / "a.py")
    assert await suggests(client, two / "a.py")


async def test_the_editor_is_asked_for_each_folders_configuration(
    client: FakeClient, folders: tuple[Path, Path]
) -> None:
    one, two = folders
    client.configuration = lambda scope: {"enabled": False} if scope == two.as_uri() else None
    await client.initialize(capabilities={"workspace": {"configuration": True}})
    await until(client, two / "a.py", suggested=False)
    assert await suggests(client, one / "a.py")


async def test_a_folder_that_is_added_has_its_own_settings(
    client: FakeClient, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    three = tmp_path / "three"
    three.mkdir()
    (three / ".foretype.toml").write_text("enabled = false\n")
    await client.initialize()
    added = {"added": [{"uri": three.as_uri(), "name": "three"}], "removed": []}
    client.notify("workspace/didChangeWorkspaceFolders", {"event": added})
    await until(client, three / "a.py", suggested=False)
    assert await suggests(client, folders[0] / "a.py")


async def test_a_folder_that_is_added_has_its_own_settings_before_the_editor_has_told_its_configuration(
    client: FakeClient, tmp_path: Path
) -> None:
    three = tmp_path / "three"
    three.mkdir()
    (three / ".foretype.toml").write_text("enabled = false\n")
    await client.initialize()
    added = {"added": [{"uri": three.as_uri(), "name": "three"}], "removed": []}
    client.notify("workspace/didChangeWorkspaceFolders", {"event": added})
    assert not await suggests(client, three / "a.py")


async def test_a_projects_file_is_read_again_when_it_is_saved(client: FakeClient, folders: tuple[Path, Path]) -> None:
    one, _ = folders
    await client.initialize()
    assert await suggests(client, one / "a.py")
    (one / ".foretype.toml").write_text("enabled = false\n")
    client.notify("textDocument/didSave", {"textDocument": {"uri": (one / ".foretype.toml").as_uri()}})
    await until(client, one / "a.py", suggested=False)
