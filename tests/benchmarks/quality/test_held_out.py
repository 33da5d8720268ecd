"""Reading the held-out files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.errors import BenchError
from benchmarks.quality import held_out
from benchmarks.quality.held_out import Record

RECORD = {"package": "p", "path": "p/a.go", "language": "go", "text": "package p\r\n"}


def test_a_record_is_read_with_plain_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "h.jsonl"
    file.write_text(json.dumps(RECORD) + "\n\n")
    assert held_out.read(file) == [Record("p", "p/a.go", "go", "package p\n")]


def test_a_record_without_a_language_is_python(tmp_path: Path) -> None:
    file = tmp_path / "h.jsonl"
    file.write_text(json.dumps({name: RECORD[name] for name in ("package", "path", "text")}))
    assert held_out.read(file)[0].language == "python"


def test_a_line_separator_inside_a_text_ends_no_record(tmp_path: Path) -> None:
    file = tmp_path / "h.jsonl"
    file.write_text(json.dumps(RECORD | {"text": "a\u2028b"}, ensure_ascii=False), encoding="utf-8")
    assert held_out.read(file)[0].text == "a\u2028b"


def test_an_absent_file_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"no held-out files .* `python -m training.corpus`"):
        held_out.read(tmp_path / "h.jsonl")


@pytest.mark.parametrize("bad", ["{", "[]", '{"package": "p"}', json.dumps(RECORD | {"language": 3})])
def test_a_bad_line_is_named_by_its_number(tmp_path: Path, bad: str) -> None:
    file = tmp_path / "h.jsonl"
    file.write_text(json.dumps(RECORD) + "\n" + bad + "\n")
    with pytest.raises(BenchError, match="line 2"):
        held_out.read(file)


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "h.jsonl"
    file.write_text("\n")
    with pytest.raises(BenchError, match="is empty"):
        held_out.read(file)
