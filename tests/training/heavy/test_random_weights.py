"""A model for timing: of the shape that the configuration states, and llama.cpp runs it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from training import random_weights, settings, unpack
from training.runner import Runner

SMALL = {"width": 64, "layers": 2, "heads": 2, "kv_heads": 1, "feed_forward": 96}


def test_the_file_has_the_shape_of_its_configuration_and_generates(tmp_path: Path) -> None:
    config = settings.load()
    config = dataclasses.replace(config, train={**config.train, **SMALL})
    path = tmp_path / "new" / "random-q4_0.gguf"
    numbers = random_weights.write(config, path)
    state, shape = unpack.unpack(path)
    assert {name: getattr(shape, name) for name in SMALL} == SMALL
    assert sum(tensor.numel() for tensor in state.values()) == numbers
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    with Runner(path, context=64) as runner:
        assert len(runner.greedy(runner.tokenize("def f():"), 4)) == 4
