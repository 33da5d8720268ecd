"""Begin a training where an earlier model ended, though its vocabulary is another, or it has more layers.

The earlier model is read from its shipped GGUF file, which holds its tokenizer too. A token that both vocabularies
have keeps its embedding; a new one begins as the mean of the earlier pieces it is made of (the usual way to change a
model's vocabulary; Gee et al., "Fast Vocabulary Transfer", 2022). Everything else is copied.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import gguf
import torch
from tokenizers import Tokenizer
from tokenizers.models import BPE
from torch import Tensor

from training import tokenizer as vocabulary
from training import unpack
from training.model import Llama


def earlier_tokenizer(reader: gguf.GGUFReader) -> Tokenizer:
    """The tokenizer that a GGUF file of ours holds."""
    tokens = [str(token) for token in reader.get_field("tokenizer.ggml.tokens").contents()]
    merges = [str(merge).split(" ") for merge in reader.get_field("tokenizer.ggml.merges").contents()]
    tokenizer = vocabulary.untrained()
    tokenizer.model = BPE({token: at for at, token in enumerate(tokens)}, [(left, right) for left, right in merges])
    return tokenizer


def carried(embedding: Tensor, earlier: Tokenizer, later: Tokenizer) -> tuple[Tensor, int]:
    """The embedding in the later vocabulary's order, shape (tokens, width), and how many tokens both have."""
    before = earlier.get_vocab()
    rows, kept = [], 0
    for token, at in sorted(later.get_vocab().items(), key=lambda item: item[1]):
        if token in before:
            rows.append(embedding[before[token]])
            kept += 1
        else:
            pieces = earlier.encode(later.decode([at]), add_special_tokens=False).ids
            rows.append(embedding[pieces].mean(dim=0) if pieces else embedding.mean(dim=0))
    return torch.stack(rows), kept


def chosen_layers(state: dict[str, Tensor], there: int, wanted: int) -> dict[str, Tensor]:
    """The state with `wanted` of its `there` layers, evenly spaced, first and last among them, and numbered anew."""
    kept = [round(at * (there - 1) / max(1, wanted - 1)) for at in range(wanted)]
    chosen = {name: tensor for name, tensor in state.items() if not name.startswith("layers.")}
    for number, layer in enumerate(kept):
        for name, tensor in state.items():
            if name.startswith(f"layers.{layer}."):
                chosen[name.replace(f"layers.{layer}.", f"layers.{number}.", 1)] = tensor
    return chosen


def begin(model: Llama, path: Path, sha256: str, tokenizer: Tokenizer) -> int:
    """Fill a model with an earlier one's weights; how many tokens both vocabularies have.

    All sizes but the number of layers and of tokens must be the same; `sha256` is not checked if it is empty.

    Raises:
        SystemExit: the file is missing, is not the one the configuration names, or has another shape.
    """
    if not path.exists():
        raise SystemExit(f"No earlier model at {path} (train.init_from): training/README.md says how to get it.")
    if sha256 and hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise SystemExit(f"{path} is not the file that train.init_sha256 names: get it as training/README.md says.")
    reader = gguf.GGUFReader(path)
    state, shape = unpack.unpack(path)
    if shape.layers > model.shape.layers:
        state = chosen_layers(state, shape.layers, model.shape.layers)
    state["embed_tokens.weight"], kept = carried(state["embed_tokens.weight"], earlier_tokenizer(reader), tokenizer)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise SystemExit(f"{path} has another shape than the configuration: {error}") from None
    return kept
