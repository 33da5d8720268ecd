"""The documented commands, one after the other, on a tiny corpus: from records to a GGUF file that llama.cpp runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from training.runner import Runner
from training.settings import REPOSITORY


def write_corpus(folder: Path) -> None:
    """This repository's own files: two folders to learn from, one held out."""
    folder.mkdir(parents=True)
    for part, packages in (("train", ["wire_protocol", "edge_proxy"]), ("held_out", ["lsp_server/trim"])):
        with (folder / f"{part}.jsonl").open("w", encoding="utf-8") as file:
            for package in packages:
                for path in sorted((REPOSITORY / package).glob("*.py")):
                    record = {
                        "package": package,
                        "path": path.name,
                        "language": "python",
                        "text": path.read_text("utf-8"),
                    }
                    file.write(json.dumps(record) + "\n")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration over the shipped one, in which everything is small and lies in a temporary folder."""
    write_corpus(tmp_path / "out" / "corpus")
    path = tmp_path / "tiny.toml"
    path.write_text(
        f"""
base = "{REPOSITORY / "training" / "starter.toml"}"
output = "{tmp_path / "out"}"
[tokenizer]
file = "{tmp_path / "tokenizer.json"}"
vocabulary = 512
[samples]
validation_rows = 4
validation_length = 64
[train]
name = "tiny"
init_from = ""
width = 32
layers = 1
heads = 2
kv_heads = 1
feed_forward = 64
context = 128
batch_tokens = 128
micro_batch_tokens = 64
warmup_steps = 2
validate_every = 4
phases = [
    {{ name = "main", length = 64, steps = 6, rate = 0.5, fim = 0.7, middle_weight = 2.0, learn_typed = true }},
    {{ name = "finish", length = 64, steps = 4, rate = 0.0, fim = 0.9, middle_weight = 2.0, learn_typed = false }},
]
[export]
install = "{tmp_path / "installed"}"
curve = "{tmp_path / "curve.csv"}"
""",
        encoding="utf-8",
    )
    return path


def run(step: str, config: Path, *arguments: str) -> str:
    """A step as its user calls it; compilation is left out, which takes minutes and is not what is tested."""
    done = subprocess.run(
        [sys.executable, "-m", f"training.{step}", "--config", str(config), *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "TORCHDYNAMO_DISABLE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.timeout(600)
def test_the_documented_steps_make_a_model_that_llama_cpp_runs(config: Path, tmp_path: Path) -> None:
    run("tokenizer", config)
    run("samples", config, "--processes", "2")
    first = run("train", config, "--stop-after", "4")
    assert "from nothing" in first
    assert "resumed at step 4" in run("train", config)
    run("export", config)

    card = json.loads((tmp_path / "installed" / "tiny.json").read_text(encoding="utf-8"))
    assert card["training"]["tokens"] == 10 * 128
    assert (tmp_path / "curve.csv").read_text(encoding="utf-8").splitlines()[-1].startswith("10,")
    with Runner(tmp_path / "installed" / "tiny-q4_0.gguf", context=128) as runner:
        assert len(runner.greedy(runner.tokenize("def f(self):\n    return"), 8)) == 8
