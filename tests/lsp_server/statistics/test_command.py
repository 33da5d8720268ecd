"""`foretype-lsp stats` as a person runs it."""

from __future__ import annotations

import io
import json
import sys
from datetime import date
from pathlib import Path

import pytest

from lsp_server import cli
from lsp_server.statistics.days import VERSION, StatsFile


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORETYPE_STATE_DIR", str(tmp_path))
    return tmp_path / "stats.json"


@pytest.fixture
def counted(path: Path) -> Path:
    for day, count in (("2020-01-01", 100), (date.today().isoformat(), 3)):
        stats = StatsFile(path, lambda day=day: day)  # type: ignore[misc]
        stats.add({"shown": count, "source/edge/shown": count, "latency_ms/answer/edge/20": count})
        stats.flush()
    return path


def answering(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    terminal = io.StringIO(text)
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdin", terminal)


def test_before_anything_was_counted_a_sentence_says_so(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["stats"]) == 0
    assert "Nothing was counted yet" in capsys.readouterr().out


@pytest.mark.usefixtures("counted")
def test_the_last_thirty_days_are_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["stats"]) == 0
    out = capsys.readouterr().out
    assert date.today().isoformat() in out
    assert "2020" not in out
    assert "\x1b" not in out


@pytest.mark.usefixtures("counted")
def test_json_has_the_days_and_their_sum_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["stats", "--json", "--days", "1"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert list(printed["days"]) == [date.today().isoformat()]
    total = printed["total"]
    assert (total["shown"], total["sources"]) == (3, {"edge": {"shown": 3}})
    assert total["latency_ms"]["answer"]["edge"]["buckets"] == [[32.0, 3]]
    assert 26.9 < total["latency_ms"]["answer"]["edge"]["p50"] <= 32.0


@pytest.mark.parametrize("days", ["0", "-1", "x", "91"])
def test_a_number_of_days_that_makes_no_sense_is_refused(
    path: Path, days: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["stats", f"--days={days}"])
    assert "1 to 90" in capsys.readouterr().err


def test_a_reset_asks_first(counted: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    answering(monkeypatch, "no\n")
    assert cli.main(["stats", "--reset"]) == 1
    assert counted.exists()
    answering(monkeypatch, "yes\n")
    assert cli.main(["stats", "--reset"]) == 0
    assert not counted.exists()
    assert "The statistics were deleted" in capsys.readouterr().out


def test_a_reset_that_can_ask_nobody_says_what_to_do(
    counted: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    assert cli.main(["stats", "--reset"]) == 1
    assert "--yes" in capsys.readouterr().err
    assert counted.exists()
    assert cli.main(["stats", "--reset", "--yes"]) == 0
    assert not counted.exists()


def test_a_reset_of_nothing_is_no_failure(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["stats", "--reset"]) == 0
    assert "nothing was counted" in capsys.readouterr().out


def test_a_file_of_a_newer_program_is_told_in_a_sentence(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text(json.dumps({"version": VERSION + 1, "days": {}}))
    assert cli.main(["stats"]) == 1
    assert "newer foretype-lsp" in capsys.readouterr().err
