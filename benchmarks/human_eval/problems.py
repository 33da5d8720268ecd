"""Reads the problems of HumanEval and HumanEval-Infilling from their official JSONL files, gzipped or not."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.errors import BenchError
from wire_protocol.frames import Context, Lines
from wire_protocol.text import clean

FIELDS: Final = ("task_id", "prompt", "test", "entry_point", "canonical_solution")
SINGLE_LINE: Final = "SingleLineInfilling"
GZIP_MAGIC: Final = b"\x1f\x8b"
PATH: Final = "solution.py"
"""The path that the model is told: the official files have none."""
STOPS: Final = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")
"""Where a completed function ends (Chen and others, 2021, "Evaluating Large Language Models Trained on Code")."""
MAX_TOKENS: Final[dict[Lines, int]] = {"single": 128, "multi": 512}


@dataclass(frozen=True)
class Problem:
    """One problem: what stands before the hole, what behind it ("" to complete a function), and the check."""

    task_id: str
    prompt: str
    suffix: str
    test: str
    entry_point: str
    canonical_solution: str

    @property
    def benchmark(self) -> str:
        """What the id begins with: `HumanEval`, `SingleLineInfilling`, `MultiLineInfilling`, `RandomSpanInfilling`."""
        return self.task_id.partition("/")[0]

    @property
    def lines(self) -> Lines:
        """How much the worker is asked for."""
        return "single" if self.benchmark == SINGLE_LINE else "multi"

    @property
    def stops(self) -> tuple[str, ...]:
        """Where the worker is told to stop: a hole with text behind it needs no such help."""
        return () if self.suffix else STOPS

    @property
    def context(self) -> Context:
        """What the worker is sent: the anchor is at the start of the line in which the hole begins."""
        anchor = self.prompt.rfind("\n") + 1
        return Context(
            before=clean(self.prompt[:anchor]),
            typed=clean(self.prompt[anchor:]),
            after=clean(self.suffix),
            path=PATH,
            language="python",
        )

    def program(self, completion: str) -> str:
        """The program that ends without an exception if the completion is right.

        Of some files the missing lines include their line end, which a worker asked for one line does not send: it
        is put back.
        """
        ended = completion.endswith("\n") or self.suffix.startswith("\n")
        if self.suffix and self.canonical_solution.endswith("\n") and not ended:
            completion += "\n"
        return f"{self.prompt}{completion}{self.suffix}\n{self.test}\ncheck({self.entry_point})\n"


def read(path: Path) -> list[Problem]:
    """The problems of a file, in its order.

    Raises:
        BenchError: the file is absent or unreadable, or a line is no problem; the message has the line's number.
    """
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if data.startswith(GZIP_MAGIC) else data).decode("utf-8")
    except FileNotFoundError:
        raise BenchError(
            f"There is no file {path}: HumanEval.jsonl.gz comes with github.com/openai/human-eval, the infilling "
            "files with github.com/openai/human-eval-infilling."
        ) from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise BenchError(f"{path} cannot be read as JSONL or gzipped JSONL: {error}.") from None
    problems = [_problem(line, f"{path}, line {at}") for at, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not problems:
        raise BenchError(f"{path} holds no problem.")
    seen: set[str] = set()
    for problem in problems:
        if problem.task_id in seen:
            raise BenchError(f"{path} has the problem {problem.task_id} twice.")
        seen.add(problem.task_id)
    return problems


def _problem(line: str, where: str) -> Problem:
    try:
        value: Any = json.loads(line)
    except ValueError as error:
        raise BenchError(f"{where} is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise BenchError(f"{where} is not a JSON object.")
    for field in FIELDS:
        if not isinstance(value.get(field), str):
            raise BenchError(f"{where} has no text `{field}`: it is no problem of HumanEval or HumanEval-Infilling.")
    suffix = value.get("suffix", "")
    if not isinstance(suffix, str):
        raise BenchError(f"{where}: `suffix` is not a text.")
    if not value["entry_point"].isidentifier():
        raise BenchError(f"{where}: `entry_point` is {value['entry_point']!r}, which is no name of a function.")
    return Problem(suffix=suffix, **{field: value[field] for field in FIELDS})
