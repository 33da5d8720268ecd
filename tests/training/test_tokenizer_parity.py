"""The shipped model's tokenizer, as llama.cpp reads it from the GGUF file, is the one that training used."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llama_cpp import llama_cpp as llama

from training import settings as training_settings
from training import tokenizer as vocabulary

CONFIG = training_settings.load()
TOKENIZER = vocabulary.load(CONFIG.path(CONFIG.tokenizer["file"]))
MODEL = CONFIG.path(CONFIG.export["install"]) / "starter-q4_0.gguf"
REPOSITORY = Path(__file__).resolve().parents[2]
MIN_TOKENS = 20_000

# llama.cpp keeps a pointer to it for as long as the process lives.
SILENT = llama.llama_log_callback(lambda level, text, data: None)

Tokenize = Callable[[str], list[int]]


@pytest.fixture(scope="module")
def in_llama() -> Iterator[Tokenize]:
    """llama.cpp's tokenizer of the shipped file; only the vocabulary is loaded."""
    options = llama.llama_model_default_params()
    options.vocab_only = True
    model = llama.llama_model_load_from_file(str(MODEL).encode(), options)
    assert model, f"{MODEL} does not load"
    vocab = llama.llama_model_get_vocab(model)

    def tokenize(text: str) -> list[int]:
        data = text.encode()
        buffer = (llama.llama_token * (len(data) + 8))()
        count = llama.llama_tokenize(vocab, data, len(data), buffer, len(buffer), False, False)
        return list(buffer[:count])

    yield tokenize
    llama.llama_model_free(model)


def in_training(text: str) -> list[int]:
    return list(TOKENIZER.encode(text, add_special_tokens=False).ids)


def test_code_that_was_never_trained_on_tokenises_the_same(in_llama: Tokenize) -> None:
    folders = ("wire_protocol", "gpu_worker", "lsp_server", "edge_proxy", "training")
    count = 0
    for path in sorted(path for folder in folders for path in (REPOSITORY / folder).glob("*.py")):
        text = path.read_text(encoding="utf-8")
        expected = in_training(text)
        assert in_llama(text) == expected, path.name
        count += len(expected)
    assert count > MIN_TOKENS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        " " * 200 + "x",
        "    \n        \n\n\n    return",
        "\tif x:\n\t\treturn\t1\n",
        "value = 1234567890.5e-10\n",
        "x = 'naïve café — “quoted” … 漢字 кириллица עברית 👩‍👩‍👧 é é'\n",
        "it's we'll THEY'RE\n",
        "print('<|endoftext|><|fim_middle|>')\n",
        "a\u00a0b\u2028c\u3000d\x0be\x0cf\n",
        "x" * 3000,
        "self.assertEqual(response.status_code,200)",
        "½²①Ⅷ٣",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_unusual_text_tokenises_the_same(in_llama: Tokenize, text: str) -> None:
    assert in_llama(text) == in_training(text)


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=60))
def test_any_text_tokenises_the_same(in_llama: Tokenize, text: str) -> None:
    assert in_llama(text) == in_training(text)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from([" ", "\n", "\t", "    ", "a", "_b", ".", "(", "0", "'s", "é", '"""', "#"]), max_size=40)
)
def test_any_mixture_of_blanks_and_signs_tokenises_the_same(in_llama: Tokenize, parts: list[str]) -> None:
    text = "".join(parts)
    assert in_llama(text) == in_training(text)


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=80))
def test_tokens_decode_to_the_text(text: str) -> None:
    assert TOKENIZER.decode(in_training(text)) == text


def test_usual_indentations_are_single_tokens() -> None:
    assert [len(in_training(" " * width)) for width in (3, 4, 7, 8, 11, 12, 15, 16)] == [1] * 8


def test_special_tokens_have_the_names_and_ids_that_the_file_states() -> None:
    options = llama.llama_model_default_params()
    options.vocab_only = True
    model = llama.llama_model_load_from_file(str(MODEL).encode(), options)
    vocab = llama.llama_model_get_vocab(model)
    readers = {
        vocabulary.END: llama.llama_vocab_eos,
        vocabulary.FIM_PREFIX: llama.llama_vocab_fim_pre,
        vocabulary.FIM_SUFFIX: llama.llama_vocab_fim_suf,
        vocabulary.FIM_MIDDLE: llama.llama_vocab_fim_mid,
        vocabulary.FIM_PAD: llama.llama_vocab_fim_pad,
        vocabulary.REPOSITORY_NAME: llama.llama_vocab_fim_rep,
        vocabulary.FILE_SEPARATOR: llama.llama_vocab_fim_sep,
    }
    try:
        assert {name: read(vocab) for name, read in readers.items()} == {
            name: TOKENIZER.token_to_id(name) for name in vocabulary.SPECIAL
        }
        assert not llama.llama_vocab_get_add_bos(vocab)
    finally:
        llama.llama_model_free(model)


def test_llama_cpp_says_nothing_of_a_missing_split_rule() -> None:
    lines: list[str] = []

    @llama.llama_log_callback
    def keep(level: int, text: bytes, data: ctypes.c_void_p) -> None:
        lines.append(text.decode(errors="replace"))

    options = llama.llama_model_default_params()
    options.vocab_only = True
    llama.llama_log_set(keep, ctypes.c_void_p(0))
    try:
        model = llama.llama_model_load_from_file(str(MODEL).encode(), options)
        llama.llama_model_free(model)
    finally:
        llama.llama_log_set(SILENT, ctypes.c_void_p(0))
    assert lines
    assert not [line for line in lines if "GENERATION QUALITY" in line or "missing pre-tokenizer" in line]
