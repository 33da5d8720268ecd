"""Counters by day in a file that several editors write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lsp_server import cli
from lsp_server.stats import MAX_DAYS, StatsFile, read, totals


def test_counts_add_up_over_flushes_and_editors(tmp_path: Path) -> None:
    path = tmp_path / "stats.json"
    one, two = StatsFile(path, lambda: "2026-01-01"), StatsFile(path, lambda: "2026-01-02")
    one.add({"shown": 2, "accepted": 1})
    one.add({"shown": 1})
    two.add({"shown": 5})
    assert one.flush()
    assert two.flush()
    assert one.flush()
    assert read(path) == {"2026-01-01": {"shown": 3, "accepted": 1}, "2026-01-02": {"shown": 5}}
    assert totals(read(path)) == {"shown": 8, "accepted": 1}


def test_old_days_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "stats.json"
    days = iter(f"{2000 + n}-01-01" for n in range(MAX_DAYS + 5))
    stats = StatsFile(path, lambda: next(days))
    for _ in range(MAX_DAYS + 5):
        stats.add({"shown": 1})
    stats.flush()
    assert len(read(path)) == MAX_DAYS
    assert "2000-01-01" not in read(path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"days": 3}', '{"days": {"d": 3, "e": {"x": "y", "z": true}}}'])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, text: str) -> None:
    path = tmp_path / "stats.json"
    path.write_text(text)
    stats = StatsFile(path, lambda: "2026-01-01")
    stats.add({"shown": 1})
    assert stats.flush()
    assert totals(read(path)) == {"shown": 1}


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


def test_the_command_prints_a_table_or_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORETYPE_STATE_DIR", str(tmp_path))
    assert cli.main(["stats"]) == 0
    assert "Nothing was counted yet" in capsys.readouterr().out
    stats = StatsFile(tmp_path / "stats.json", lambda: "2026-01-01")
    stats.add({"shown": 3})
    stats.flush()
    assert cli.main(["stats"]) == 0
    assert "2026-01-01" in capsys.readouterr().out
    assert cli.main(["stats", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total"] == {"shown": 3}
