"""The command, with the real starter model and without any."""

from __future__ import annotations

import json
from pathlib import Path

import hand_written_problems as hand_written
import pytest

from benchmarks.errors import BenchError
from benchmarks.human_eval import isolation
from benchmarks.human_eval.cli import main


@pytest.fixture(autouse=True)
def isolated() -> None:
    try:
        isolation.find(allow_network=False)
    except BenchError as error:
        pytest.skip(str(error))


def test_the_canonical_solutions_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = hand_written.write(tmp_path / "p.jsonl", hand_written.ALL)
    out = tmp_path / "out.json"
    assert main([str(file), "--canonical", "--json", str(out)]) == 0
    results = json.loads(out.read_text())
    assert {part["benchmark"]: part["pass@1"]["value"] for part in results} == {
        "HumanEval": 1,
        "SingleLineInfilling": 1,
        "MultiLineInfilling": 1,
        "RandomSpanInfilling": 1,
    }
    assert "100.0 %" in capsys.readouterr().out


def test_a_models_solutions_are_run_and_kept(tmp_path: Path) -> None:
    file = hand_written.write(tmp_path / "p.jsonl", [hand_written.SINGLE_LINE, hand_written.COMPLETION])
    out = tmp_path / "out.json"
    assert main([str(file), "--json", str(out)]) == 0
    solutions = {one["task_id"]: one for part in json.loads(out.read_text()) for one in part["solutions"]}
    assert set(solutions) == {"SingleLineInfilling/HumanEval/0/L0", "HumanEval/0"}
    assert "\n" not in solutions["SingleLineInfilling/HumanEval/0/L0"]["completion"].strip()
    assert all(one["outcome"] for one in solutions.values())


def test_a_bad_file_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "p.jsonl"
    file.write_text("{}\n")
    assert main([str(file)]) == 2
    error = capsys.readouterr().err
    assert "line 1 has no text `task_id`" in error
    assert "Traceback" not in error
