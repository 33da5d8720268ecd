"""The trainer: it learns, its rates follow the phases, and a resumed run is the run that was not stopped."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from training import samples, settings, train
from training import tokenizer as vocabulary
from training.model import Llama, Shape, fused_attention, plain_attention

CONFIG = settings.load()
LAYOUT = samples.Layout(vocabulary.load(CONFIG.path(CONFIG.tokenizer["file"])))
OPTIONS = {
    **CONFIG.train,
    "batch_tokens": 256,
    "micro_batch_tokens": 128,
    "start_rate": 1.0,
    "warmup_steps": 4,
    "validate_every": 50,
}
SHAPE = Shape(
    vocabulary=8192, width=64, layers=2, heads=2, kv_heads=1, feed_forward=96, context=128, rope_theta=10_000.0,
    norm_epsilon=1e-5,
)  # fmt: skip
SCHEDULE = [("stable", 10, 1.0), ("decay", 4, 0.2), ("long", 2, 0.0)]
PHASES = [train.Phase("stable", 64, 24, 1.0, 0.75, 4.0), train.Phase("decay", 128, 8, 0.0, 0.9, 8.0)]
TEXT = "def add(first, second):\n    return first + second\n\n\n" * 40


def rows(length: int, count: int = 100) -> np.ndarray:
    records = [{"package": "p", "path": "a.py", "text": TEXT}]
    source = samples.Rows(records, LAYOUT, CONFIG.samples, length, fim=0.75, seed=1)
    return np.stack(list(itertools.islice(source, count)))


def trainer(folder: Path) -> train.Trainer:
    made = train.Trainer(OPTIONS, PHASES, SHAPE, folder, seed=1)
    made.compiled = made.losses_of  # what is tested does not depend on compilation, which takes a minute
    return made


@pytest.fixture(scope="module")
def tables() -> list[np.ndarray]:
    return [rows(64), rows(128)]


def test_the_rate_warms_up_stays_and_falls_to_zero() -> None:
    phases = [train.Phase(name, 8, steps, rate, 0.75, 4.0) for name, steps, rate in SCHEDULE]
    rates = [round(train.rate_at(phases, step, 4), 3) for step in range(16)]
    assert rates == [0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2, 0.1, 0.0]


def test_the_loss_counts_the_suggestion_more_and_skips_what_is_ignored() -> None:
    logits = torch.zeros(1, 3, 4)
    logits[0, 0, 1] = 5.0
    targets = torch.tensor([[0, 1, 2]])
    roles = torch.tensor([[samples.TEXT, samples.MIDDLE, samples.IGNORED]])
    loss, report = train.losses(logits, targets, roles, middle_weight=4.0)
    text, middle = float(-torch.log_softmax(logits[0, 0], 0)[0]), float(torch.log(torch.tensor(4.0)))
    assert float(loss) == pytest.approx((text + 4 * middle) / 5, rel=1e-5)
    assert report.tolist() == pytest.approx([text, 1, middle, 1], rel=1e-5)


def test_it_learns_a_small_text_and_writes_the_curve(tmp_path: Path, tables: list[np.ndarray]) -> None:
    made = trainer(tmp_path)
    made.run(tables, tables[0][:8], None)
    lines = (tmp_path / "curve.csv").read_text(encoding="utf-8").splitlines()
    first, last = (dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in (lines[1], lines[-1]))
    assert made.step == 32
    assert float(last["loss"]) < float(first["loss"]) - 1.0
    assert float(last["validation_text"]) < float(first["loss"])


def test_a_resumed_run_equals_one_that_was_never_stopped(tmp_path: Path, tables: list[np.ndarray]) -> None:
    whole = trainer(tmp_path / "whole")
    parts = tmp_path / "parts"
    for folder in (whole.folder, parts):
        folder.mkdir()
    whole.run(tables, tables[0][:8], None)
    trainer(parts).run(tables, tables[0][:8], 13)
    resumed = trainer(parts)
    assert resumed.resume()
    assert resumed.step == 13
    resumed.run(tables, tables[0][:8], None)
    for ours, theirs in zip(resumed.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)


def test_a_run_given_no_more_time_stops_with_a_checkpoint(tmp_path: Path, tables: list[np.ndarray]) -> None:
    made = trainer(tmp_path)
    made.run(tables, tables[0][:8], None, seconds=0.0)
    assert made.step == 1
    assert made.checkpoint.exists()


def test_stopping_writes_a_checkpoint_after_the_step_in_hand(tmp_path: Path, tables: list[np.ndarray]) -> None:
    made = trainer(tmp_path)
    made.step = 3
    descend = made.descend

    def interrupted(batch: np.ndarray) -> torch.Tensor:
        made.stop()
        return descend(batch)

    made.descend = interrupted  # type: ignore[method-assign]  # a signal that arrives during a step
    made.run(tables, tables[0][:8], None)
    fresh = trainer(tmp_path)
    assert fresh.resume()
    assert fresh.step == 4


def test_attention_never_looks_ahead() -> None:
    torch.manual_seed(0)
    model = Llama(SHAPE)
    ids = torch.randint(0, 8192, (1, 40))
    changed = ids.clone()
    changed[0, 30:] = 7
    with torch.no_grad():
        assert torch.allclose(model(ids)[0, :30], model(changed)[0, :30], atol=1e-5)


def test_the_gpus_attention_and_the_cpus_are_the_same() -> None:
    torch.manual_seed(0)
    q = torch.randn(2, 4, 24, 16)
    k, v = (torch.randn(2, 2, 24, 16) for _ in range(2))
    assert torch.allclose(fused_attention(q, k, v), plain_attention(q, k, v), atol=1e-5)


def test_bf16_autocast_trains_too(tmp_path: Path, tables: list[np.ndarray]) -> None:
    made = train.Trainer({**OPTIONS, "precision": "bf16"}, PHASES, SHAPE, tmp_path, seed=1)
    made.compiled = made.losses_of
    made.run(tables, tables[0][:8], 2)
    assert made.step == 2
    assert all(parameter.dtype == torch.float32 for parameter in made.model.parameters())
