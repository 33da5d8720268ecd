"""A random model, exported: llama.cpp computes what our PyTorch model computes, so the export is right."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from training import export, settings
from training import tokenizer as vocabulary
from training.model import Llama, Shape
from training.runner import Runner

CONFIG = settings.load()
TOKENIZER_PATH = CONFIG.path(CONFIG.tokenizer["file"])
SHAPE = Shape(
    vocabulary=8192,
    width=96,
    layers=3,
    heads=3,
    kv_heads=1,
    feed_forward=160,
    context=256,
    rope_theta=10_000.0,
    norm_epsilon=1e-5,
)
PROMPTS = 12
TOKENS = 32
ABOUT = {"name": "random", "description": "random weights", "licence": "apache-2.0"}


@pytest.fixture(scope="module")
def model() -> Llama:
    """Random weights, larger than at the start of training so that logits differ clearly."""
    torch.manual_seed(3)
    model = Llama(SHAPE)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3.0) if parameter.ndim == 2 else parameter.add_(0.2 * torch.randn_like(parameter))
    return model.eval()


@pytest.fixture(scope="module")
def exported(model: Llama, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with f32, f16 and INT4 files of the random model."""
    folder = tmp_path_factory.mktemp("export")
    state = model.state_dict()
    export.write_gguf(state, SHAPE, TOKENIZER_PATH, ABOUT, folder / "f32.gguf", half=False)
    export.write_gguf(state, SHAPE, TOKENIZER_PATH, ABOUT, folder / "f16.gguf", half=True)
    export.quantise(folder / "f16.gguf", folder / "q4_0.gguf")
    export.write_hugging_face(state, SHAPE, TOKENIZER_PATH, folder / "safetensors")
    return folder


def prompts() -> list[list[int]]:
    generator = np.random.default_rng(5)
    return [generator.integers(7, 8192, size=generator.integers(3, 90)).tolist() for _ in range(PROMPTS)]


@torch.no_grad()
def greedy(model: Llama, prompt: list[int]) -> list[int]:
    ids = list(prompt)
    for _ in range(TOKENS):
        ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
    return ids[len(prompt) :]


def test_llama_cpp_in_f32_gives_the_same_greedy_tokens(model: Llama, exported: Path) -> None:
    with Runner(exported / "f32.gguf", context=256) as runner:
        for prompt in prompts():
            assert runner.greedy(prompt, TOKENS) == greedy(model, prompt)


def test_llama_cpp_in_f32_gives_the_same_logits(model: Llama, exported: Path) -> None:
    prompt = prompts()[0]
    with Runner(exported / "f32.gguf", context=256) as runner, torch.no_grad():
        ours = model(torch.tensor([prompt]))[0].numpy()
        theirs = runner.feed(prompt, wanted=len(prompt))
    assert np.abs(ours - theirs).max() < 2e-3


@pytest.mark.parametrize(("name", "bound"), [("f16.gguf", 0.02), ("q4_0.gguf", 1.2)])
def test_smaller_formats_stay_close(model: Llama, exported: Path, name: str, bound: float) -> None:
    prompt = prompts()[1]
    with Runner(exported / name, context=256) as runner, torch.no_grad():
        ours = model(torch.tensor([prompt]))[0].numpy()
        theirs = runner.feed(prompt, wanted=len(prompt))
    assert np.abs(ours - theirs).mean() < bound


def test_safetensors_hold_the_weights_under_transformers_names(model: Llama, exported: Path) -> None:
    tensors = load_file(exported / "safetensors" / "model.safetensors")
    assert torch.equal(tensors["model.embed_tokens.weight"], model.embed_tokens.weight)
    assert "model.layers.2.self_attn.q_proj.weight" in tensors
    assert len(tensors) == len(model.state_dict())


def test_the_configuration_states_both_forms_of_the_rotary_base(exported: Path) -> None:
    config = json.loads((exported / "safetensors" / "config.json").read_text(encoding="utf-8"))
    assert config["rope_theta"] == config["rope_parameters"]["rope_theta"] == SHAPE.rope_theta
    assert config["tie_word_embeddings"] is True


def test_the_end_token_is_the_same_everywhere(exported: Path) -> None:
    end = vocabulary.load(TOKENIZER_PATH).token_to_id(vocabulary.END)
    config = json.loads((exported / "safetensors" / "config.json").read_text(encoding="utf-8"))
    assert config["eos_token_id"] == end == 0
