"""What the evaluation measures: its cursors, its baseline, its intervals."""

from __future__ import annotations

import pytest

from training import evaluate, samples, settings
from training import tokenizer as vocabulary

CONFIG = settings.load()
LAYOUT = samples.Layout(vocabulary.load(CONFIG.path(CONFIG.tokenizer["file"])))
CODE = '''import os


def first(path):
    """The first line."""
    with open(path) as file:
        return file.readline()


# A comment.
def last(path):
    with open(path) as file:
        return file.readlines()[-1]
'''
RECORDS = [
    {"package": "one", "path": "one/a.py", "text": CODE},
    {"package": "two", "path": "two/b.py", "text": CODE * 2},
]


def case(before: str, typed: str, after: str = "\n", truth: str = "") -> evaluate.Case:
    return evaluate.Case("p", "p.py", before, typed, truth, after, "mid-line")


def test_the_cursors_are_the_same_every_time() -> None:
    assert evaluate.draw_cases(RECORDS, 50, seed=7) == evaluate.draw_cases(RECORDS, 50, seed=7)


def test_a_case_takes_away_only_the_rest_of_one_line() -> None:
    for drawn in evaluate.draw_cases(RECORDS, 100, seed=7):
        text = next(record["text"] for record in RECORDS if record["path"] == drawn.path)
        assert drawn.before + drawn.typed + drawn.truth + drawn.after == text
        assert drawn.truth
        assert "\n" not in drawn.typed + drawn.truth


def test_comments_and_blank_lines_are_not_asked_for() -> None:
    lines = {drawn.typed.strip() + drawn.truth for drawn in evaluate.draw_cases(RECORDS, 200, seed=7)}
    assert not [line for line in lines if line.startswith("#") or not line.strip()]


def test_about_seven_in_ten_cursors_are_inside_a_line() -> None:
    drawn = evaluate.draw_cases(RECORDS, 400, seed=7)
    assert 240 < sum(one.kind == "mid-line" for one in drawn) < 320


def test_the_prompt_is_laid_out_as_the_worker_does() -> None:
    ids = evaluate.prompt(LAYOUT, case("import os\n", "x = o", "\ny = 1\n"))
    text = LAYOUT.tokenizer.decode(ids, skip_special_tokens=False)
    assert text == "<|file_sep|>p.py\n<|fim_prefix|>import os\n<|fim_suffix|>\ny = 1\n<|fim_middle|>x = o"


def test_the_prompt_keeps_what_is_next_to_the_cursor() -> None:
    ids = evaluate.prompt(LAYOUT, case("far = 1\n" * 5000 + "near = 2\n", "x", "\nnext = 3\n" + "far = 4\n" * 5000))
    text = LAYOUT.tokenizer.decode(ids, skip_special_tokens=False)
    assert len(ids) <= evaluate.BEFORE_TOKENS + evaluate.AFTER_TOKENS + 20
    assert "near = 2\n<|fim_suffix|>\nnext = 3" in text


@pytest.mark.parametrize(
    ("before", "typed", "expected"),
    [
        ("with open(path) as file:\n    pass\n", "with op", "en(path) as file:"),
        ("self.total = total\n", "    self.to", "tal = total"),
        ("a = b\nc = d\na = b\n", "    ", "c = d"),
        ("nothing alike\n", "    quux(", ""),
        ("", "", ""),
    ],
)
def test_the_baseline_copies_the_most_similar_line(before: str, typed: str, expected: str) -> None:
    assert evaluate.copy_line(case(before, typed)) == expected


def test_the_interval_is_wilsons() -> None:
    low, high = evaluate.wilson(10, 100)
    assert (round(low, 4), round(high, 4)) == (0.0552, 0.1744)


def test_the_interval_of_nothing_right_begins_at_zero() -> None:
    low, high = evaluate.wilson(0, 50)
    assert low == pytest.approx(0.0)
    assert 0 < high < 0.1
