"""A model of a configuration's shape that has learnt nothing: to measure how fast it will be before it is trained.

    .venv-train/bin/python -m training.random_weights --config training/gpu.toml
    make bench-speed ARGS="--model training/output/random/starter-gpu-q4_0.gguf --no-peer"

The time of a matrix product does not depend on the numbers in it. What it says means nothing.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from training import export, settings
from training import tokenizer as vocabulary
from training.model import Llama, Shape, parameters


def write(config: settings.Settings, target: Path) -> int:
    """Write the INT4 file of a fresh model, its weights drawn by the configuration's seed; its number of parameters."""
    torch.manual_seed(config.seed)
    tokenizer_path = config.path(config.tokenizer["file"])
    shape = Shape.of(config.train, vocabulary.load(tokenizer_path).get_vocab_size())
    model = Llama(shape)
    about = {**config.export, "name": f"{config.train['name']}, random weights", "description": "Random weights"}
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        half = Path(folder) / "f16.gguf"
        export.write_gguf(model.state_dict(), shape, tokenizer_path, about, half, half=True)
        export.quantise(half, target)
    return parameters(model)


def main() -> None:
    """Write the file and say where it is."""
    parser = settings.arguments("Write a model with random weights, to measure its speed before it is trained.")
    parser.add_argument("--out", type=Path, help="default: training/output/random/NAME-q4_0.gguf")
    options = parser.parse_args()
    config = settings.load(options.config)
    name = f"{config.train['name']}-q4_0.gguf"
    target: Path = options.out or settings.REPOSITORY / "training" / "output" / "random" / name
    print(f"{target}: {write(config, target) / 1e6:.1f} M parameters, random")


if __name__ == "__main__":
    main()
