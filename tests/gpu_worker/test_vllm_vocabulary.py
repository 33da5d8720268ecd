"""A real Hugging Face tokenizer, the starter's own, as the prompt builder uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from gpu_worker.engines.vllm_vocabulary import HuggingFaceVocabulary

FILE = Path(__file__).resolve().parents[2] / "training" / "tokenizer.json"


@pytest.fixture(scope="module")
def vocabulary() -> HuggingFaceVocabulary:
    backend = Tokenizer.from_file(str(FILE))
    specials = [id for id, token in backend.get_added_tokens_decoder().items() if token.special]
    return HuggingFaceVocabulary(backend, bos=None, specials=specials)


@pytest.mark.parametrize("marker", ["<|endoftext|>", "<|fim_middle|>", "<|file_sep|>"])
def test_a_marker_in_a_users_text_is_text(vocabulary: HuggingFaceVocabulary, marker: str) -> None:
    tokens = vocabulary.tokenize(f"a {marker} b")
    assert len(tokens) > 5
    assert not set(tokens) & set(vocabulary.control_tokens)


def test_the_models_markers_are_found(vocabulary: HuggingFaceVocabulary) -> None:
    assert vocabulary.fim is not None
    assert vocabulary.fim.family == "qwen"
    assert {vocabulary.fim.prefix, vocabulary.fim.suffix, vocabulary.fim.middle} <= set(vocabulary.control_tokens)


def test_a_token_knows_whether_it_ends_a_line(vocabulary: HuggingFaceVocabulary) -> None:
    assert vocabulary.ends_line(vocabulary.tokenize("x = 1\n")[-1])
    assert not vocabulary.ends_line(vocabulary.tokenize("x = 1")[-1])


def test_a_tokenizer_that_adds_a_space_to_every_text_does_not_add_one_to_a_part() -> None:
    pieces = ["<unk>", "▁", "▁a", "a", "b", "\n", "▁b"]
    backend = Tokenizer(models.Unigram([(piece, -1.0) for piece in pieces], unk_id=0))
    backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    assert backend.encode("a", add_special_tokens=False).tokens == ["▁a"]
    vocabulary = HuggingFaceVocabulary(backend, bos=None, specials=[0])
    assert vocabulary.tokenize("a") == [3]
    assert vocabulary.tokenize("ab") == [3, 4]
