"""Models of random weights with the shapes of known code models: timings are honest, texts are noise."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[2]
TOKENIZER: Final = REPOSITORY / "training" / "tokenizer.json"
"""The starter's: real prompts become real token counts. Ids beyond its vocabulary get texts of their own."""
CONTEXT: Final = 8_192


@dataclass(frozen=True)
class Shape:
    """A Llama's sizes."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    feed_forward: int
    vocabulary: int
    tied: bool


SHAPES: Final[Mapping[str, Shape]] = {
    "tiny": Shape(2, 256, 4, 2, 512, 8_448, True),
    "1.5B": Shape(28, 1_536, 12, 2, 8_960, 151_936, True),  # Qwen2.5-Coder-1.5B, from its config.json
    "7B": Shape(28, 3_584, 28, 4, 18_944, 152_064, False),  # Qwen2.5-Coder-7B
    "13B": Shape(40, 5_120, 40, 40, 13_824, 32_016, False),  # CodeLlama-13b
}


def write(name: str, folder: Path) -> Path:
    """config.json and a tokenizer; vLLM makes the weights up (`load_format=dummy`)."""
    shape = SHAPES[name]
    target = folder / f"shape-{name}"
    target.mkdir(parents=True)
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.width,
        "intermediate_size": shape.feed_forward,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.width // shape.heads,
        "hidden_act": "silu",
        "max_position_embeddings": CONTEXT,
        "rms_norm_eps": 1e-5,
        "rope_theta": 1_000_000.0,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1_000_000.0},
        "tie_word_embeddings": shape.tied,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "torch_dtype": "bfloat16",
    }
    (target / "config.json").write_text(json.dumps(config), encoding="utf-8")
    tokenizer = json.loads(TOKENIZER.read_text(encoding="utf-8"))
    words = tokenizer["model"]["vocab"]
    used = {*words.values(), *(token["id"] for token in tokenizer["added_tokens"])}
    # No merge makes these, so that no prompt has them; an answer of random weights is made of little else.
    words |= {f"Ġw{id}": id for id in range(shape.vocabulary) if id not in used}
    (target / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|endoftext|>",
        "eos_token": "<|endoftext|>",
        "clean_up_tokenization_spaces": False,
        "model_max_length": CONTEXT,
    }
    (target / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return target


def remove(folder: Path) -> None:
    """What `write` made."""
    shutil.rmtree(folder, ignore_errors=True)
