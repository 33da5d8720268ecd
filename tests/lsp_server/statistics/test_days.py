"""Counts by day in a file that several editors write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lsp_server.statistics import days as days_module
from lsp_server.statistics.days import (
    MAX_DAYS,
    MAX_NAMES,
    VERSION,
    NewerFileError,
    StatsFile,
    read,
    recent,
    reset,
    totals,
)


def test_counts_add_up_over_flushes_and_editors(tmp_path: Path) -> None:
    path = tmp_path / "stats.json"
    one, two = StatsFile(path, lambda: "2026-01-01"), StatsFile(path, lambda: "2026-01-02")
    one.add({"shown": 2, "accepted": 1, "latency_ms/answer/edge/23": 1})
    one.add({"shown": 1, "latency_ms/answer/edge/23": 2})
    two.add({"shown": 5})
    assert one.flush()
    assert two.flush()
    assert one.flush()
    first = {"shown": 3, "accepted": 1, "latency_ms/answer/edge/23": 3}
    assert read(path) == {"2026-01-01": first, "2026-01-02": {"shown": 5}}
    assert totals(read(path)) == {**first, "shown": 8}


def test_old_days_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "stats.json"
    days = iter(f"{2000 + n}-01-01" for n in range(MAX_DAYS + 5))
    stats = StatsFile(path, lambda: next(days))
    for _ in range(MAX_DAYS + 5):
        stats.add({"shown": 1})
    stats.flush()
    assert len(read(path)) == MAX_DAYS
    assert "2000-01-01" not in read(path)


def test_the_smallest_of_too_many_counts_are_dropped(tmp_path: Path) -> None:
    stats = StatsFile(tmp_path / "stats.json", lambda: "2026-01-01")
    stats.add({f"language/{n}/shown": 1 for n in range(MAX_NAMES)} | {"shown": MAX_NAMES})
    stats.flush()
    kept = read(tmp_path / "stats.json")["2026-01-01"]
    assert (len(kept), kept["shown"]) == (MAX_NAMES, MAX_NAMES)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "[" * 100_000,
        '{"days": 3}',
        '{"days": {"d": 3, "e": {"x": "y", "z": true}}}',
        '{"days": {"d": {"x": 1}, "2026-01-01": {"x": -1, "y": 1e400, "z": 99999999999999999999}}}',
    ],
)
def test_a_damaged_file_is_begun_anew(tmp_path: Path, text: str) -> None:
    path = tmp_path / "stats.json"
    path.write_text(text)
    stats = StatsFile(path, lambda: "2026-01-01")
    stats.add({"shown": 1})
    assert stats.flush()
    assert totals(read(path)) == {"shown": 1}


def test_a_file_without_a_version_is_read_and_its_shown_is_what_was_given(tmp_path: Path) -> None:
    path = tmp_path / "stats.json"
    path.write_text('{"days": {"2026-01-01": {"shown": 7, "accepted": 2}}}')
    stats = StatsFile(path, lambda: "2026-01-02")
    stats.add({"shown_inferred": 1})
    assert stats.flush()
    assert read(path) == {"2026-01-01": {"given": 7, "accepted": 2}, "2026-01-02": {"shown_inferred": 1}}
    assert json.loads(path.read_text())["version"] == VERSION


def test_a_file_of_a_newer_program_is_neither_read_nor_replaced(tmp_path: Path) -> None:
    path = tmp_path / "stats.json"
    text = json.dumps({"version": VERSION + 1, "days": {}})
    path.write_text(text)
    stats = StatsFile(path, lambda: "2026-01-02")
    stats.add({"shown": 1})
    assert not stats.flush()
    assert path.read_text() == text
    with pytest.raises(NewerFileError, match="newer foretype-lsp"):
        read(path)


def test_counts_that_cannot_be_written_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    stats = StatsFile(folder / "stats.json", lambda: "2026-01-01")
    stats.add({"shown": 1})
    (tmp_path / "later").write_text("in the way")
    assert not stats.flush()
    folder.unlink()
    folder.mkdir()
    assert stats.flush()
    assert totals(read(folder / "stats.json")) == {"shown": 1}


def test_counts_wait_while_another_editor_holds_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(days_module, "LOCK_TIMEOUT_S", 0.0)
    path = tmp_path / "stats.json"
    stats = StatsFile(path, lambda: "2026-01-01")
    stats.add({"shown": 1})
    with days_module._lock(path):
        assert not stats.flush()
    assert stats.flush()
    assert totals(read(path)) == {"shown": 1}


def test_the_last_days_are_those_up_to_today() -> None:
    days = {"2026-01-01": {}, "2026-01-02": {}, "2026-01-04": {}, "2026-02-01": {}}
    assert list(recent(days, 3, "2026-01-04")) == ["2026-01-02", "2026-01-04"]


def test_what_was_deleted_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "stats.json"
    path.write_text("{}")
    assert reset(path)
    assert not reset(path)
