"""The model card's suggestions are drawn by a seed, and shown as they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import show_suggestions


def answer(text: str, right: bool, place: str = "one/a.py:1:5") -> show_suggestions.Answer:
    return {"place": place, "typed": "    x = ", "answer": text, "truth": "size(path)", "right": right}


ANSWERS = [answer(f"good_{at}", True) for at in range(30)] + [answer(f"bad_{at}", False) for at in range(30)]


def results(path: Path) -> Path:
    tasks = {"single": {"answers": [*ANSWERS, answer(" ", False)]}}
    path.write_text(json.dumps({"settings": {}, "results": [{"label": "starter", "model": "m", "tasks": tasks}]}))
    return path


def test_the_same_seed_draws_the_same_suggestions() -> None:
    assert show_suggestions.markdown("m", ANSWERS, 10, 1) == show_suggestions.markdown("m", ANSWERS, 10, 1)
    assert show_suggestions.markdown("m", ANSWERS, 10, 1) != show_suggestions.markdown("m", ANSWERS, 10, 2)


def test_ten_good_and_ten_bad_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_suggestions.main(["--results", str(results(tmp_path / "quality.json"))])
    out = capsys.readouterr().out
    assert (out.count("| `good_"), out.count("| `bad_")) == (10, 10)
    assert "30 a person would accept (right up to their end), 30 they would not, 1 that said nothing" in out


def test_a_bad_suggestion_stands_beside_what_would_have_been_right() -> None:
    assert show_suggestions.row(ANSWERS[-1], good=False) == "| `one/a.py:1:5` | `x =` | `bad_29` | `size(path)` |"


def test_fewer_than_asked_for_are_shown_whole() -> None:
    assert show_suggestions.draw(ANSWERS[:3], 10, 1) != []
    assert len(show_suggestions.draw(ANSWERS[:3], 10, 1)) == 3


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\n    b\n", "`a↵    b`"),
        ("a | b", r"`a \| b`"),
        ("`x`", "`` `x` ``"),
        ("", "·"),
        ("y" * 301, f"`{'y' * 300}…`"),
    ],
)
def test_code_fits_in_a_cell(text: str, shown: str) -> None:
    assert show_suggestions.code(text) == shown


@given(st.text(alphabet="ab `|\n\t", max_size=40))
def test_a_cell_is_one_line_and_has_no_bare_bar(text: str) -> None:
    shown = show_suggestions.code(text)
    assert "\n" not in shown
    assert "|" not in shown.replace("\\|", "")


def test_without_results_the_command_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"python -m benchmarks\.quality"):
        show_suggestions.main(["--results", str(tmp_path / "absent.json")])


def test_a_label_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no answers of other for single: it has starter"):
        show_suggestions.main(["--results", str(results(tmp_path / "quality.json")), "--label", "other"])


def test_a_file_that_is_not_the_benchs_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "quality.json"
    path.write_text("[]")
    with pytest.raises(SystemExit, match="is not what"):
        show_suggestions.main(["--results", str(path)])
