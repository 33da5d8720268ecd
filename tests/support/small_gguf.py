"""Small GGUF files, written by the gguf library: a header and a vocabulary, no weights."""

from __future__ import annotations

from pathlib import Path

import gguf

FIM_TOKENS = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")


def write_gguf(path: Path, tokens: tuple[str, ...] = FIM_TOKENS, size: int = 0) -> bytes:
    """A GGUF file without tensors, written by the gguf library, padded to `size` bytes; its contents."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("small")
    writer.add_context_length(1_024)
    writer.add_block_count(3)
    writer.add_embedding_length(64)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(["a", "b", *tokens])
    writer.add_token_types([1, 1, *[3] * len(tokens)])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    data = path.read_bytes()
    data += bytes(max(0, size - len(data)))
    path.write_bytes(data)
    return data
