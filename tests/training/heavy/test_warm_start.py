"""Beginning where an earlier starter ended, in another vocabulary."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import gguf
import pytest
import torch
from tokenizers import Tokenizer

from training import settings, unpack, warm_start
from training import tokenizer as vocabulary
from training.model import Llama

SHIPPED = settings.REPOSITORY / "gpu_worker" / "starter" / "starter-q4_0.gguf"
SHA256 = hashlib.sha256(SHIPPED.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def earlier() -> Tokenizer:
    return warm_start.earlier_tokenizer(gguf.GGUFReader(SHIPPED))


@pytest.fixture(scope="module")
def shipped() -> tuple[dict[str, torch.Tensor], Llama]:
    state, shape = unpack.unpack(SHIPPED)
    return state, Llama(shape)


def test_the_tokenizer_in_the_file_is_the_one_that_was_exported(earlier: Tokenizer) -> None:
    config = settings.load()
    later = vocabulary.load(config.path(config.tokenizer["file"]))
    text = Path(__file__).read_text(encoding="utf-8")
    assert earlier.encode(text, add_special_tokens=False).ids == later.encode(text, add_special_tokens=False).ids


def test_common_tokens_keep_their_rows_and_new_ones_are_the_mean_of_their_pieces(earlier: Tokenizer) -> None:
    later = vocabulary.train(iter(["zyxwvut = zyxwvut + return self\n" * 20]), 290)
    embedding = torch.randn(earlier.get_vocab_size(), 8)
    rows, kept = warm_start.carried(embedding, earlier, later)
    common = set(earlier.get_vocab()) & set(later.get_vocab())
    assert kept == len(common) < later.get_vocab_size()
    for token in common:
        assert torch.equal(rows[later.token_to_id(token)], embedding[earlier.token_to_id(token)])
    new = next(token for token in later.get_vocab() if token not in common)
    pieces = earlier.encode(later.decode([later.token_to_id(new)]), add_special_tokens=False).ids
    assert torch.allclose(rows[later.token_to_id(new)], embedding[pieces].mean(dim=0))


def test_with_the_same_vocabulary_the_model_is_the_earlier_one(
    earlier: Tokenizer, shipped: tuple[dict[str, torch.Tensor], Llama]
) -> None:
    state, model = shipped
    assert warm_start.begin(model, SHIPPED, SHA256, earlier) == earlier.get_vocab_size()
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, state[name])


def test_another_file_than_the_configuration_names_is_refused(
    earlier: Tokenizer, shipped: tuple[dict[str, torch.Tensor], Llama]
) -> None:
    with pytest.raises(SystemExit, match="not the file"):
        warm_start.begin(shipped[1], SHIPPED, "0" * 64, earlier)
    with pytest.raises(SystemExit, match="No earlier model"):
        warm_start.begin(shipped[1], SHIPPED.with_name("nothing.gguf"), SHA256, earlier)


def test_a_shallower_model_takes_the_first_and_the_last_layer(
    earlier: Tokenizer, shipped: tuple[dict[str, torch.Tensor], Llama]
) -> None:
    state, whole = shipped
    model = Llama(dataclasses.replace(whole.shape, layers=2))
    warm_start.begin(model, SHIPPED, SHA256, earlier)
    last = whole.shape.layers - 1
    for ours, theirs in ((0, 0), (1, last)):
        name = "mlp.up_proj.weight"
        assert torch.equal(model.state_dict()[f"layers.{ours}.{name}"], state[f"layers.{theirs}.{name}"])
