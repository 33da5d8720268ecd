"""The whole bench against real workers with the real starter model, at a handful of cursors in our own sources."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from benchmarks import worker
from benchmarks.contestants import Contestant
from benchmarks.quality import plot
from benchmarks.quality.asking import answering, take_part
from benchmarks.quality.cli import main
from benchmarks.quality.cursors import draw
from benchmarks.quality.held_out import Record

OURS = Path(worker.__file__).parents[2]
GO = "package p\n\n" + "".join(f"func F{number}(a int) int {{\n\treturn a + {number}\n}}\n\n" for number in range(9))


@pytest.fixture
def held_out(tmp_path: Path) -> Path:
    """A held-out file made of this repository's sources and a little Go."""
    files = [OURS / "wire_protocol" / name for name in ("codec.py", "text.py", "delta.py")]
    records = [
        {"package": "ours", "path": file.name, "language": "python", "text": file.read_text("utf-8")} for file in files
    ]
    records.append({"package": "go", "path": "p/p.go", "language": "go", "text": GO})
    path = tmp_path / "held_out.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def run(held_out: Path, folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    out = folder / "out" / "quality.json"
    code = main(
        [
            *("--held-out", str(held_out), "--count", "5", "--multi-count", "2"),
            *("--json", str(out), "--plot", str(folder / "out" / "quality.png"), *arguments),
        ]
    )
    return code, json.loads(out.read_text(), parse_constant=pytest.fail) if out.exists() else {}


def test_the_starter_is_measured_through_its_worker(
    held_out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = run(held_out, tmp_path, "--show", "1", "--asks", "1", "--", "--threads", "1")
    assert code == 0
    assert [one["label"] for one in found["results"]] == ["starter", "copying", "copying, simply"]
    for result in found["results"]:
        single, multi = result["tasks"]["single"], result["tasks"]["multi"]
        assert (single["cursors"], multi["cursors"]) == (5, 2)
        assert sum(group["exact match"]["count"] for group in single["by"]["language"].values()) == 5
        assert len(single["answers"]) == 5
    answers = found["results"][0]["tasks"]["single"]["answers"]
    # The log-probabilities of those that say something came with `done`.
    assert all(one["mean_logprob"] < 0 for one in answers if one["tokens"])
    assert any(one["tokens"] for one in answers)
    assert {one["place"] for one in answers} == {
        one["place"] for one in found["results"][1]["tasks"]["single"]["answers"]
    }
    shown = capsys.readouterr()
    assert "exact match" in shown.out
    assert "suggestions, at random" in shown.out
    assert "No cursors in typescript" in shown.err
    assert plot.available() == (tmp_path / "out" / "quality.png").exists()
    if not plot.available():
        assert "matplotlib is not installed" in shown.out


async def test_a_worker_that_runs_already_gives_the_same_answers_every_time() -> None:
    text = (OURS / "wire_protocol" / "text.py").read_text("utf-8")
    cursors = draw([Record("ours", "text.py", "python", text)], "single", 4, seed=1)
    async with worker.started(("--engine", "llama", "--model", "starter")) as client:
        address = client.address
        rounds = []
        for _ in range(2):
            async with answering(Contestant("again", address=address), "") as (model, ask):
                rounds.append(await take_part(cursors, ask, 2, 1, lambda: None))
    assert "starter" in model
    assert rounds[0] == rounds[1]
    assert all(math.isfinite(one.similarity) for one in rounds[0])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--held-out", "/nowhere/held_out.jsonl"], "run `python -m training.corpus`"),
        (["--languages", "cobol"], "No cursors are defined for cobol"),
        (["--languages", "rust"], "holds no line of code"),
        (["--model", "/nowhere/model.gguf"], "The worker does not start"),
        (["--worker", "unix:/nowhere/worker.sock"], "No worker answers at unix:/nowhere/worker.sock"),
        (["--token-file", "/nowhere/token"], "No token can be read"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    held_out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    code, _ = run(held_out, tmp_path, *arguments)
    error = capsys.readouterr().err
    assert code == 2
    assert sentence in error
    assert "Traceback" not in error


def test_help_describes_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    assert "--held-out FILE" in capsys.readouterr().out
