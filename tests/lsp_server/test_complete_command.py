"""`foretype-lsp complete`: what it takes for a place, what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from completion_fakes import FakeSource

from lsp_server import complete_command
from lsp_server.complete_command import BadPlaceError, ask_for, parse_place, run
from lsp_server.settings import Loaded, Settings
from lsp_server.sources.base import SourceStatus


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeSource:
    made = FakeSource(lambda context: "value + 1\nmore", latency_s=0.0)
    monkeypatch.setenv("FORETYPE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(complete_command, "build_source", lambda settings: made)
    monkeypatch.setattr(complete_command, "load_settings", lambda **layers: Loaded())
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.py"
    path.write_text("x = 1\ny = \nz = 3\n", encoding="utf-8")
    return path


def test_a_place_may_have_colons_in_its_file() -> None:
    assert parse_place("C:\\a.py:3:7") == (Path("C:\\a.py"), 3, 7)


@pytest.mark.parametrize("text", ["a.py", "a.py:3", "a.py:x:1", ":1:1", "a.py:0:1", "a.py:1:0", "a.py:1:-1"])
def test_what_is_no_place_is_a_sentence(text: str) -> None:
    with pytest.raises(BadPlaceError, match=r"FILE:LINE:COL|count from 1"):
        parse_place(text)


def test_line_and_column_count_from_one(file: Path) -> None:
    ask = ask_for(parse_place(f"{file}:2:3"), file.parent)
    assert (ask.snapshot.offset, ask.path, ask.snapshot.language_id) == (8, "a.py", "python")


def test_a_column_beyond_the_end_is_the_end(file: Path) -> None:
    assert ask_for(parse_place(f"{file}:2:999"), file.parent).snapshot.offset == 10


def test_the_suggestion_is_printed_and_whence_it_came(
    source: FakeSource, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([f"{file}:2:5"]) == 0
    out, err = capsys.readouterr()
    assert out == "value + 1\n"
    assert "source local" in err
    assert source.closed


def test_json_is_one_object(source: FakeSource, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([f"{file}:2:5", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["text"], answer["source"]) == ("value + 1", "local")


def test_several_lines_are_given_where_they_are_asked_for(
    source: FakeSource, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([f"{file}:2:5", "--multi"]) == 0
    assert capsys.readouterr().out == "value + 1\nmore\n"


def test_the_model_is_given_what_the_server_would_give_it(
    source: FakeSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "store.py").write_text("def put(key, entry):\n    return key\n", encoding="utf-8")
    (tmp_path / "like.py").write_text("def save(entries, limit):\n    put(entries, limit)\n", encoding="utf-8")
    (tmp_path / "main.py").write_text("from store import put\n\ndef f(entries, limit):\n    put(", encoding="utf-8")
    assert run(["main.py:4:9", "--open", "like.py"]) == 0
    snippets = [(snippet.path, snippet.text) for snippet in source.requests[0].context.snippets]
    assert snippets[0] == ("store.py", "def put(key, entry):\n")
    assert snippets[1][0] == "like.py"


def test_an_ignored_neighbour_is_not_given(source: FakeSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".foretypeignore").write_text("store.py\n", encoding="utf-8")
    (tmp_path / "store.py").write_text("def put(key, entry):\n    return key\n", encoding="utf-8")
    (tmp_path / "main.py").write_text("from store import put\n\ndef f(entries, limit):\n    put(", encoding="utf-8")
    assert run(["main.py:4:9"]) == 0
    assert source.requests[0].context.snippets == []


def test_without_a_suggestion_the_exit_code_is_one(
    source: FakeSource, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source.states = [SourceStatus("local", "failed", "The model file is missing.")]
    assert run([f"{file}:2:5"]) == 1
    assert "The model file is missing." in capsys.readouterr().err


def test_switched_off_suggestions_are_said_to_be(
    source: FakeSource, file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(complete_command, "load_settings", lambda **layers: Loaded(Settings(enabled=False)))
    assert run([f"{file}:2:5"]) == 1
    assert "switched off" in capsys.readouterr().err
    assert source.requests == []


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("none.py", None, "does not exist"),
        ("", None, "folder"),
        ("b.py", b"\xff\xfe\xfa", "UTF-8"),
        ("c.py", b"a\0b", "binary"),
        ("d.py", b"x\n", "no line 7"),
    ],
)
def test_a_place_that_cannot_be_completed_at_is_one_sentence(
    source: FakeSource,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: bytes | None,
    word: str,
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert run([f"{tmp_path / name}:7:1"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert word in err
