"""What is printed and written."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.errors import BenchError
from benchmarks.intervals import NOTHING, Estimate
from benchmarks.quality import plot, report
from benchmarks.quality.answers import Answer
from benchmarks.quality.asking import COPYING, Result, copying, take_part
from benchmarks.quality.cursors import draw
from benchmarks.quality.held_out import Record
from wire_protocol.frames import Context, Lines

CODE = "".join(f"value_{number} = [compute({number}, other)]\nuse(value_{number})\n\n" for number in range(40))
RECORDS = [Record("p", "p.py", "python", CODE), Record("q", "q.js", "javascript", CODE)]


async def unsure(context: Context, lines: Lines) -> Answer:
    """The baseline's answer, with a log-probability."""
    answer = await copying(context, lines)
    return Answer(answer.text, "stop", -0.1 * (len(context.typed) % 7), 1)


@pytest.fixture
async def results() -> list[Result]:
    made = []
    for label, ask in (("model [1]", unsure), (COPYING, copying)):
        result = Result(label, "m")
        for task in ("single", "multi"):
            result.judged[task] = await take_part(draw(RECORDS, task, 16, seed=1), ask, 2, 1, lambda: None)
        made.append(result)
    return made


def test_a_share_is_shown_with_its_interval() -> None:
    assert report.percent(Estimate(0.253, 0.2189, 0.29, 600)) == "25.3 % (21.9–29.0)"
    assert report.percent(NOTHING) == "–"


async def test_every_measure_and_group_is_in_the_tables(results: list[Result]) -> None:
    out = io.StringIO()
    report.show(Console(file=out, width=150), results)
    report.show_some(Console(file=out, width=150), results[0], 2, 1)
    text = out.getvalue()
    wanted = (
        "model [1]",
        "copying",
        "keys saved",
        "above copying",
        "python",
        "javascript",
        "in word",
        "quarter 1",
        "statements",
    )
    assert [word for word in wanted if word not in text] == []
    assert "expected calibration error" in text


async def test_the_json_holds_every_answer_and_no_value_that_json_does_not_know(results: list[Result]) -> None:
    written = json.loads(json.dumps(report.to_json(results, {"seed": 1}), allow_nan=False))
    model, baseline = written["results"]
    assert [len(model["tasks"][task]["answers"]) for task in ("single", "multi")] == [16, 16]
    assert model["tasks"]["single"]["exact_match_above_copying"]["value"] == 0
    assert "exact_match_above_copying" not in baseline["tasks"]["single"]
    assert model["tasks"]["single"]["calibration"]["suggestions"] > 0
    assert baseline["tasks"]["single"]["calibration"]["suggestions"] == 0


async def test_the_plot_is_drawn_where_matplotlib_is(results: list[Result], tmp_path: Path) -> None:
    path = tmp_path / "new" / "quality.png"
    if plot.available():
        plot.draw(results, path)
        assert path.read_bytes().startswith(b"\x89PNG")
    else:
        with pytest.raises(BenchError, match="pip install matplotlib"):
            plot.draw(results, path)
