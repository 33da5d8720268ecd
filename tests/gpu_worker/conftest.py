"""Tiny GGUF models made at test time: a real byte-level vocabulary with FIM tokens, and weights of two kinds."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest

CONTROL_TOKENS = (
    "<|endoftext|>",
    "<|fim_prefix|>",
    "<|fim_suffix|>",
    "<|fim_middle|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
)
MERGES = (
    ("Ġ", "Ġ"),
    ("ĠĠ", "ĠĠ"),
    ("i", "n"),
    ("r", "e"),
    ("s", "e"),
    ("l", "f"),
    ("se", "lf"),
    ("t", "u"),
    ("re", "tu"),
    ("r", "n"),
    ("retu", "rn"),
    ("d", "e"),
    ("de", "f"),
    ("o", "r"),
    ("(", ")"),
)
CONTEXT = 1024
WIDTH, LAYERS, HEADS, FEED_FORWARD = 64, 2, 2, 128
NEXT = {
    **{chr(code): chr(code + 1) for code in range(ord("a"), ord("z"))},
    **{chr(code): chr(code + 1) for code in range(ord("A"), ord("Z"))},
    **{str(digit): str((digit + 1) % 10) for digit in range(10)},
    "z": "\n",
    "\n": "A",
    "Z": "<|endoftext|>",
    "<|fim_middle|>": "a",
    "(": "\u00c3",  # the two bytes of é, as the byte-level vocabulary writes them
    "\u00c3": "\u00a9",
    "\u00a9": ")",
}
"""What the alphabet model says after each token."""


def byte_alphabet() -> list[str]:
    """GPT-2's printable stand-ins for the 256 bytes, in the order of bytes."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(spare)) for byte in range(256)]


def vocabulary() -> list[str]:
    """Token texts by id: bytes, merged tokens, control tokens."""
    alphabet = byte_alphabet()
    return [*alphabet, *(left + right for left, right in MERGES), *CONTROL_TOKENS]


def random_weights(tokens: int) -> dict[str, np.ndarray]:
    """A Llama whose answers depend on the whole context, for comparing one evaluation with another."""
    generator = np.random.default_rng(7)

    def normal(*shape: int) -> np.ndarray:
        return (generator.standard_normal(shape) * (1.0 / np.sqrt(shape[-1]))).astype(np.float32)

    tensors = {"token_embd.weight": normal(tokens, WIDTH) * 8, "output_norm.weight": np.ones(WIDTH, np.float32)}
    tensors["output.weight"] = normal(tokens, WIDTH)
    for layer in range(LAYERS):
        for name, shape in (
            ("attn_q", (WIDTH, WIDTH)),
            ("attn_k", (WIDTH, WIDTH)),
            ("attn_v", (WIDTH, WIDTH)),
            ("attn_output", (WIDTH, WIDTH)),
            ("ffn_gate", (FEED_FORWARD, WIDTH)),
            ("ffn_up", (FEED_FORWARD, WIDTH)),
            ("ffn_down", (WIDTH, FEED_FORWARD)),
        ):
            tensors[f"blk.{layer}.{name}.weight"] = normal(*shape)
        tensors[f"blk.{layer}.attn_norm.weight"] = np.ones(WIDTH, np.float32)
        tensors[f"blk.{layer}.ffn_norm.weight"] = np.ones(WIDTH, np.float32)
    return tensors


def alphabet_weights(texts: list[str]) -> dict[str, np.ndarray]:
    """A Llama that looks at the last token only and says what `NEXT` says, so that answers are known."""
    tensors = random_weights(len(texts))
    tensors["token_embd.weight"] = np.random.default_rng(11).standard_normal((len(texts), WIDTH)).astype(np.float32)
    output = np.zeros((len(texts), WIDTH), np.float32)
    newline = byte_alphabet()[ord("\n")]
    for now, following in NEXT.items():
        here = texts.index(newline if now == "\n" else now)
        there = texts.index(newline if following == "\n" else following)
        output[there] += tensors["token_embd.weight"][here]
    tensors["output.weight"] = output
    for name in list(tensors):
        if name.endswith(("attn_output.weight", "ffn_down.weight")):
            tensors[name] = np.zeros_like(tensors[name])
    return tensors


def write_gguf(path: Path, tensors: dict[str, np.ndarray], texts: list[str], *, fim: bool = True) -> Path:
    """Write a Llama with these weights and the test vocabulary."""
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10_000.0)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    kinds = [gguf.TokenType.CONTROL if text in CONTROL_TOKENS else gguf.TokenType.NORMAL for text in texts]
    shown = [text if fim or text not in CONTROL_TOKENS[1:] else f"<|unused{at}|>" for at, text in enumerate(texts)]
    writer.add_token_list(shown)
    writer.add_token_types(kinds)
    writer.add_token_merges([f"{left} {right}" for left, right in MERGES])
    end = texts.index("<|endoftext|>")
    writer.add_bos_token_id(end)
    writer.add_eos_token_id(end)
    writer.add_add_bos_token(False)
    for name, tensor in tensors.items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="session")
def random_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights: any change of its context changes its logits."""
    texts = vocabulary()
    return write_gguf(tmp_path_factory.mktemp("gguf") / "random.gguf", random_weights(len(texts)), texts)


@pytest.fixture(scope="session")
def alphabet_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that continues the alphabet: `a` … `z`, a newline, `A` … `Z`, its end; digits without end; ( é )."""
    texts = vocabulary()
    return write_gguf(tmp_path_factory.mktemp("gguf") / "alphabet.gguf", alphabet_weights(texts), texts)


@pytest.fixture(scope="session")
def plain_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The alphabet model without fill-in-the-middle tokens."""
    texts = vocabulary()
    return write_gguf(tmp_path_factory.mktemp("gguf") / "plain.gguf", alphabet_weights(texts), texts, fim=False)
