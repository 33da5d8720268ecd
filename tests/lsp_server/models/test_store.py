"""The store: what counts as a model, `list`, `path` and `remove`, and names in `local.model`."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
from small_gguf import write_gguf

from lsp_server.models import command
from lsp_server.models.store import Record, Store
from lsp_server.sources.local_process import missing, model_file, too_large, worker_command

GIB = 2**30


def put(name: str = "mine", size: int = 0, **more: object) -> Record:
    """A model in the user's store, as a pull leaves it."""
    store = Store.of_user()
    store.prepare()
    part = store.part(name, "ab" * 32)
    data = write_gguf(part, size=size)
    values: dict[str, object] = {
        "name": name, "file": f"{name}-Q4_0.gguf", "repo": "o/r", "revision": "c", "path_in_repo": f"{name}-Q4_0.gguf",
        "sha256": "ab" * 32, "bytes": len(data), "licence": "MIT", "licence_url": "", "accepted": "", "pulled": "",
        "fim": True, "context_tokens": 1_024, "layers": 3, "kv_width": 32,
    }  # fmt: skip
    record = Record(**{**values, **more})  # type: ignore[arg-type]
    store.keep(part, record)
    return record


def use(home: Path, model: str) -> None:
    (home / "config.toml").write_text(f'[local]\nmodel = "{model}"\n')


def test_a_pulled_model_is_listed_and_the_one_in_use_marked(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put()
    put("other")
    use(home, "mine")
    assert command.run(["list"]) == 0
    out = capsys.readouterr().out
    lines = {line[:2].strip() + line[2:].split()[0]: line for line in out.splitlines()[1:4]}
    assert set(lines) == {"starter", "*mine", "other"}
    assert str(home / "data" / "models" / "mine" / "mine-Q4_0.gguf") in lines["*mine"]
    assert "Apache-2.0" in lines["starter"]
    assert "Recommended here: starter" in out


def test_a_model_in_use_that_is_not_there_is_listed_as_missing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    use(home, "none")
    command.run(["list"])
    assert capsys.readouterr().out.splitlines()[2].split() == ["*", "none", "missing"]


def test_a_list_makes_no_folder(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command.run(["list"])
    assert not (home / "data").exists()


def test_path_prints_the_file_of_a_name_of_the_starter_and_of_the_one_in_use(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = put()
    use(home, "mine")
    for arguments in (["path", "mine"], ["path"]):
        assert command.run(arguments) == 0
        assert capsys.readouterr().out.strip() == str(Store.of_user().file(record))
    assert command.run(["path", "starter"]) == 0
    assert capsys.readouterr().out.strip().endswith("starter-q4_0.gguf")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing", ["models list", "pull"]),
        ("qwen2.5-coder-0.5b", ["models pull qwen2.5-coder-0.5b"]),
        ("../x", ["../x"]),
    ],
)
def test_a_name_that_is_not_there_is_one_sentence_that_says_how_to_get_it(
    home: Path, capsys: pytest.CaptureFixture[str], name: str, words: list[str]
) -> None:
    assert command.run(["path", name]) == 1
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert all(word in err for word in words) or name == "../x"


def test_remove_frees_the_bytes_and_says_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(size=3_000_000)
    put("other")
    assert command.run(["remove", "mine"]) == 0
    assert "Removed mine: 2.9 MiB freed." in capsys.readouterr().out
    assert [record.name for record in Store.of_user().all()] == ["other"]
    assert not (home / "data" / "models" / "mine").exists()


def test_remove_frees_what_an_interrupted_download_left(home: Path) -> None:
    store = Store.of_user()
    store.prepare()
    store.part("half", "cd" * 32).write_bytes(bytes(1_000))
    assert list(store.unfinished()) == [("half", 1_000)]
    assert command.run(["remove", "half"]) == 0
    assert list(store.unfinished()) == []


@pytest.mark.parametrize("name", ["starter", "nothing", "..", "../data", "/etc", ".locks", ""])
def test_nothing_but_a_models_own_folder_is_removed(home: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    record = put()
    assert command.run(["remove", name]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert Store.of_user().file(record).is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_in_the_store_is_not_followed(home: Path) -> None:
    outside = home / "precious"
    outside.mkdir()
    Store.of_user().prepare()
    (home / "data" / "models" / "link").symlink_to(outside)
    assert command.run(["remove", "link"]) == 1
    assert outside.is_dir()


def test_the_model_in_use_is_removed_only_by_force(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put()
    use(home, "mine")
    assert command.run(["remove", "mine"]) == 1
    assert "in use" in capsys.readouterr().err
    assert command.run(["remove", "mine", "--force"]) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_the_store_is_the_users_alone(home: Path) -> None:
    put()
    for folder in (home / "data", home / "data" / "models", home / "data" / "models" / "mine"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": 1}'])
def test_a_damaged_record_is_no_model(home: Path, text: str) -> None:
    put()
    (home / "data" / "models" / "mine" / "model.json").write_text(text)
    assert Store.of_user().find("mine") is None
    assert Store.of_user().all() == []


def test_a_record_that_points_elsewhere_is_no_model(home: Path) -> None:
    record = put()
    json = home / "data" / "models" / "mine" / "model.json"
    json.write_text(json.read_text().replace(record.file, "../../../config.toml"))
    assert Store.of_user().find("mine") is None


def test_local_model_means_a_name_of_the_store_or_a_path(home: Path) -> None:
    record = put()
    assert model_file("mine") == Store.of_user().file(record)
    assert model_file("Mine") == Store.of_user().file(record)
    assert model_file("none") is None
    assert model_file("x/none.gguf") == Path("x/none.gguf").absolute()
    assert missing("mine") is None


def test_the_worker_gets_the_path_and_the_memory_that_one_person_needs(home: Path) -> None:
    record = put(context_tokens=32_768)
    command_line = worker_command("mine")
    assert command_line[command_line.index("--model") + 1] == str(Store.of_user().file(record))
    assert command_line[-4:] == ["--parallel", "2", "--context", "2048"]
    assert "--context" not in worker_command("starter")


def test_a_file_that_was_cut_off_is_said_to_be_damaged(home: Path) -> None:
    record = put()
    with Store.of_user().file(record).open("ab") as file:
        file.truncate(100)
    assert "damaged: `foretype-lsp models pull` it again" in (missing("mine") or "")


def test_a_pulled_model_larger_than_the_memory_is_said_before_it_is_loaded(home: Path) -> None:
    put(layers=10_000, kv_width=1_000_000)
    sentence = too_large("mine") or ""
    assert "needs about" in sentence
    assert "local.model" in sentence
    assert too_large("starter") is None
