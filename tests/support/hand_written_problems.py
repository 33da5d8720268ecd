"""Hand-written problems in the format of HumanEval and HumanEval-Infilling. They are none of the official ones."""

from __future__ import annotations

import json
from pathlib import Path

PROMPT = 'def double(number: int) -> int:\n    """Twice a number.\n    >>> double(2)\n    4\n    """\n'
TEST = "\n\nMETADATA = {}\n\n\ndef check(candidate):\n    assert candidate(2) == 4\n    assert candidate(-1) == -2\n"

COMPLETION = {
    "task_id": "HumanEval/0",
    "prompt": PROMPT,
    "canonical_solution": "    return 2 * number\n",
    "test": TEST,
    "entry_point": "double",
}
SINGLE_LINE = COMPLETION | {
    "task_id": "SingleLineInfilling/HumanEval/0/L0",
    "canonical_solution": "    result = number\n",
    "suffix": "    result += number\n    return result\n",
}
SINGLE_LINE_BEFORE_ITS_END = SINGLE_LINE | {
    "task_id": "SingleLineInfilling/HumanEval/0/L1",
    "canonical_solution": "    result = number",
    "suffix": "\n    result += number\n    return result\n",
}
MULTI_LINE = COMPLETION | {
    "task_id": "MultiLineInfilling/HumanEval/0/L0_L1",
    "canonical_solution": "    result = number\n    result += number\n",
    "suffix": "    return result\n",
}
RANDOM_SPAN = COMPLETION | {
    "task_id": "RandomSpanInfilling/HumanEval/0/1",
    "prompt": PROMPT + "    res",
    "canonical_solution": "ult = number\n    result +",
    "suffix": "= number\n    return result\n",
}
ALL = [COMPLETION, SINGLE_LINE, SINGLE_LINE_BEFORE_ITS_END, MULTI_LINE, RANDOM_SPAN]


def write(path: Path, problems: list[dict[str, str]]) -> Path:
    """A JSONL file of problems; its path."""
    path.write_text("".join(json.dumps(problem) + "\n" for problem in problems), encoding="utf-8")
    return path
