"""Reading problems, and putting programs together."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import hand_written_problems as hand_written
import pytest

from benchmarks.errors import BenchError
from benchmarks.human_eval import problems
from benchmarks.human_eval.problems import STOPS, Problem
from wire_protocol.frames import Context


def problem(fields: dict[str, str]) -> Problem:
    return Problem(**{"suffix": ""} | fields)


def test_a_file_is_read_gzipped_or_not(tmp_path: Path) -> None:
    plain = hand_written.write(tmp_path / "p.jsonl", hand_written.ALL)
    packed = tmp_path / "p.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert problems.read(plain) == problems.read(packed) == [problem(fields) for fields in hand_written.ALL]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", "line 2 is not JSON"),
        ("[1]", "line 2 is not a JSON object"),
        ("{}", "line 2 has no text `task_id`"),
        (json.dumps(hand_written.COMPLETION | {"test": 1}), "line 2 has no text `test`"),
        (json.dumps(hand_written.COMPLETION | {"suffix": 1}), "line 2: `suffix` is not a text"),
        (json.dumps(hand_written.COMPLETION | {"entry_point": "a b"}), "line 2: `entry_point` is 'a b'"),
    ],
)
def test_a_line_that_is_no_problem_is_named(tmp_path: Path, line: str, sentence: str) -> None:
    file = tmp_path / "p.jsonl"
    file.write_text(json.dumps(hand_written.SINGLE_LINE) + "\n" + line + "\n")
    with pytest.raises(BenchError) as caught:
        problems.read(file)
    assert sentence in str(caught.value)


def test_a_problem_that_comes_twice_is_an_error(tmp_path: Path) -> None:
    file = hand_written.write(tmp_path / "p.jsonl", [hand_written.COMPLETION] * 2)
    with pytest.raises(BenchError, match="HumanEval/0 twice"):
        problems.read(file)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "There is no file"),
        (b"", "holds no problem"),
        (b"\x1f\x8bno", "cannot be read"),
        (b"\xff", "cannot be read"),
    ],
)
def test_a_file_that_holds_no_problems_is_an_error(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    file = tmp_path / "p.jsonl"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BenchError, match=sentence):
        problems.read(file)


def test_a_hole_within_a_line_is_anchored_at_the_lines_start() -> None:
    assert problem(hand_written.RANDOM_SPAN).context == Context(
        before=hand_written.PROMPT,
        typed="    res",
        after="= number\n    return result\n",
        path=problems.PATH,
        language="python",
    )


def test_one_line_is_asked_for_only_where_one_is_missing() -> None:
    lines = {fields["task_id"].partition("/")[0]: problem(fields).lines for fields in hand_written.ALL}
    assert lines == {
        "HumanEval": "multi",
        "SingleLineInfilling": "single",
        "MultiLineInfilling": "multi",
        "RandomSpanInfilling": "multi",
    }


def test_only_a_function_to_be_completed_has_stops() -> None:
    stops = [problem(fields).stops for fields in hand_written.ALL]
    assert stops == [STOPS, (), (), (), ()]


@pytest.mark.parametrize("fields", hand_written.ALL, ids=lambda fields: fields["task_id"])
@pytest.mark.parametrize("cut", [False, True])
def test_a_right_solution_gives_a_right_program_with_or_without_its_last_line_end(
    fields: dict[str, str], cut: bool
) -> None:
    solution = fields["canonical_solution"]
    namespace: dict[str, object] = {}
    exec(problem(fields).program(solution.removesuffix("\n") if cut else solution), namespace)
    assert callable(namespace["double"])
