"""The command itself, with the shipped starter and a corpus of a few files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training import settings
from training.memorisation import cli

CODE = "def f(values, offset):\n" + "".join(f"    total_{at} = values[{at}] + offset\n" for at in range(60))


def config(folder: Path, texts: dict[str, str]) -> Path:
    """A configuration whose corpus is in the folder: one file in each part."""
    (folder / "corpus").mkdir()
    for name, text in texts.items():
        record = {"package": "one", "path": "one/a.py", "language": "python", "text": text}
        (folder / "corpus" / f"{name}.jsonl").write_text(json.dumps(record) + "\n")
    path = folder / "config.toml"
    path.write_text(f"base = {json.dumps(str(settings.DEFAULT_CONFIG))}\noutput = {json.dumps(str(folder))}\n")
    return path


def test_the_figures_are_written_for_every_setting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = config(tmp_path, {"train": CODE, "held_out": CODE.replace("total", "sum")})
    assert cli.main(["--config", str(path), "--count", "1"]) == 0
    figures = json.loads((tmp_path / "memorisation.json").read_text())
    assert len(figures["results"]) == 2 * 2 * 2
    assert {row["prompts"] for row in figures["results"]} == {1}
    training = [row for row in figures["results"] if row["part"] == "training files"]
    assert all(row["true_continuations_in_training_files"]["hits"] == 1 for row in training)
    assert "only files are asked about" in capsys.readouterr().err


def test_without_a_corpus_the_command_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"python -m training\.corpus"):
        cli.main(["--config", str(config(tmp_path, {})), "--count", "1"])


def test_files_that_are_too_short_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no file of the training files is long enough"):
        cli.main(["--config", str(config(tmp_path, {"train": "x = 1\n", "held_out": "y = 2\n"})), "--count", "1"])


def test_a_model_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="memorisation: "):
        cli.main(["--config", str(config(tmp_path, {"train": CODE, "held_out": CODE})), "--model", "absent.gguf"])
