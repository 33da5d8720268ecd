"""The worker's settings file: what it may say, and how a mistake in it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpu_worker import worker_file
from gpu_worker.errors import WorkerError


def written(folder: Path, text: str) -> Path:
    path = folder / "worker.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_table_is_read(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    text = """
    [worker]
    model = "Qwen/Qwen2.5-Coder-1.5B"
    preset = "throughput"
    [vllm]
    max_num_seqs = 32
    speculative_config = {method = "ngram", num_speculative_tokens = 4}
    [adapters]
    acme = "acme"
    other = "someone/on-the-hub"
    [hardware]
    peak_tflops = 989
    memory_gb_per_s = 4800.0
    """
    file = worker_file.read(written(tmp_path, text))
    assert (file.model, file.preset) == ("Qwen/Qwen2.5-Coder-1.5B", "throughput")
    assert file.vllm["speculative_config"] == {"method": "ngram", "num_speculative_tokens": 4}
    assert file.adapters == {"acme": str(tmp_path / "acme"), "other": "someone/on-the-hub"}
    assert (file.peak_tflops, file.memory_gb_per_s) == (989.0, 4800.0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[worker", "is not TOML"),
        ("[vlm]\nx = 1", "no table [vlm]: did you mean vllm?"),
        ("vllm = 3", "write [vllm]"),
        ("[worker]\nmodle = 'x'", "did you mean model?"),
        ("[worker]\nmodel = 3", "must be a text"),
        ("[hardware]\npeak_tflops = 'fast'", "must be a number"),
        ("[hardware]\npeak_tflops = true", "must be a number"),
        ("[adapters]\nacme = 1", "must be a text"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(WorkerError) as told:
        worker_file.read(written(tmp_path, text))
    assert sentence in str(told.value)
    assert "worker.toml" in str(told.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="cannot be read"):
        worker_file.read(tmp_path / "none.toml")
