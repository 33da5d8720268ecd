"""Step 2: a byte-level BPE for Python whose tokens llama.cpp and Hugging Face tokenizers agree on.

The split rule is Qwen2's (llama.cpp: `tokenizer.ggml.pre = "qwen2"`), without its NFC normalisation, which
llama.cpp does not do: each digit is its own piece, a word takes one leading sign (`.append`, `_name`, `(self`),
and blanks before a word form runs, so that BPE learns every usual indentation as one token.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from training import corpus, settings

# The names that Qwen2.5-Coder uses: llama.cpp and the worker's template detection find them by these.
END = "<|endoftext|>"
FIM_PREFIX = "<|fim_prefix|>"
FIM_MIDDLE = "<|fim_middle|>"
FIM_SUFFIX = "<|fim_suffix|>"
FIM_PAD = "<|fim_pad|>"
REPOSITORY_NAME = "<|repo_name|>"
FILE_SEPARATOR = "<|file_sep|>"
SPECIAL = (END, FIM_PREFIX, FIM_MIDDLE, FIM_SUFFIX, FIM_PAD, REPOSITORY_NAME, FILE_SEPARATOR)

LLAMA_CPP_PRE = "qwen2"
# Source: LLAMA_VOCAB_PRE_TYPE_QWEN2 in llama.cpp's llama-vocab.cpp.
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def untrained() -> Tokenizer:
    """The tokenizer's pipeline, with no vocabulary yet."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def train(texts: Iterator[str], vocabulary: int) -> Tokenizer:
    """Learn merges from texts; the special tokens take the first ids, in the order of `SPECIAL`."""
    tokenizer = untrained()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[AddedToken(name, special=True, normalized=False) for name in SPECIAL],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def load(path: Path) -> Tokenizer:
    """The trained tokenizer, set so that special tokens written in a file's text stay plain text.

    Raises:
        SystemExit: it has not been trained yet.
    """
    if not path.exists():
        raise SystemExit(f"No tokenizer at {path}: run `python -m training.tokenizer` first.")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.encode_special_tokens = True
    return tokenizer


def token_id(tokenizer: Tokenizer, name: str) -> int:
    """A special token's id.

    Raises:
        SystemExit: the tokenizer does not have it.
    """
    found = tokenizer.token_to_id(name)
    if found is None:
        raise SystemExit(f"The tokenizer has no {name}: make it anew with `python -m training.tokenizer`.")
    return int(found)


def hugging_face_config(context: int) -> dict[str, object]:
    """The tokenizer_config.json that goes beside tokenizer.json for Transformers and vLLM."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": False,
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "bos_token": END,
        "eos_token": END,
        "pad_token": FIM_PAD,
        "additional_special_tokens": list(SPECIAL[1:]),
        "model_max_length": context,
    }


def main() -> None:
    """Train on a sample of the corpus and write tokenizer.json."""
    options = settings.arguments("Train the byte-level BPE tokenizer.").parse_args()
    config = settings.load(options.config)
    records = corpus.read_jsonl(config.output / "corpus" / "train.jsonl")
    random.Random(config.seed).shuffle(records)
    sample: list[str] = []
    left = config.tokenizer["sample_bytes"]
    for record in records:
        if left <= 0:
            break
        sample.append(record["text"])
        left -= len(record["text"])
    tokenizer = train(iter(sample), config.tokenizer["vocabulary"])
    path = config.path(config.tokenizer["file"])
    tokenizer.save(str(path), pretty=False)
    held_out = corpus.read_jsonl(config.output / "corpus" / "held_out.jsonl")
    encoded = tokenizer.encode_batch([record["text"] for record in held_out], add_special_tokens=False)
    characters = sum(len(record["text"]) for record in held_out)
    tokens = sum(len(item.ids) for item in encoded)
    result = {"vocabulary": tokenizer.get_vocab_size(), "held_out_characters_per_token": round(characters / tokens, 3)}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
