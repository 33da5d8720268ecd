"""Reads the header of a GGUF file: architecture, sizes, and whether its vocabulary can fill in the middle.

Format: the GGUF specification of ggml (versions 2 and 3, little-endian). Only what the store needs is read; files come
from strangers, so every length is checked against the file.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

MAGIC: Final = b"GGUF"
VERSIONS: Final = (2, 3)
MAX_ENTRIES: Final = 65_536
"""Metadata entries: models have dozens."""
MAX_DEPTH: Final = 4
MAX_STRING: Final = 16 * 1_048_576
"""Bytes of one string: the longest are chat templates of some kilobytes."""
MAX_KEPT: Final = 4_096
"""Numbers of an array that are kept; of longer ones only the length is."""

_SCALARS: Final = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip
_STRING: Final = 8
_ARRAY: Final = 9
_TOKENS: Final = "tokenizer.ggml.tokens"

FIM_TEXTS: Final = (
    frozenset(
        {"<|fim_prefix|>", "<fim_prefix>", "<fim-prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>", "<|code_prefix|>"}
    ),
    frozenset(
        {"<|fim_suffix|>", "<fim_suffix>", "<fim-suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>", "<|code_suffix|>"}
    ),
    frozenset(
        {"<|fim_middle|>", "<fim_middle>", "<fim-middle>", "<｜fim▁end｜>", "<MID>", "▁<MID>", "<|code_middle|>"}
    ),
)
"""Texts of the markers before, after and for the middle, as llama.cpp and the worker (gpu_worker/fim.py) know them."""
FIM_PAIR: Final = ("[PREFIX]", "[SUFFIX]")
"""Codestral's: the text after the cursor comes first, and the answer behind the text before it."""
FIM_KEYS: Final = (
    "tokenizer.ggml.fim_pre_token_id",
    "tokenizer.ggml.fim_suf_token_id",
    "tokenizer.ggml.fim_mid_token_id",
)
"""Metadata that names the markers itself."""


class BadGgufError(Exception):
    """The file is not a GGUF file, or a damaged one; the text says what is wrong with it."""


@dataclass(slots=True)
class Header:
    """What the header says; zeros where it says nothing. `kv_width`: numbers of a key (or value) in one layer."""

    architecture: str = ""
    context_tokens: int = 0
    layers: int = 0
    kv_width: int = 0
    fim: bool = False
    values: dict[str, object] = field(default_factory=dict, repr=False)


def read_header(path: Path) -> Header:
    """The header of `path`. Raises BadGgufError, or OSError if it cannot be read."""
    size = path.stat().st_size
    with path.open("rb") as file:
        reader = _Reader(file, size)
        if reader.take(len(MAGIC)) != MAGIC:
            raise BadGgufError("it does not begin with GGUF")
        version = reader.number("<I")
        if version not in VERSIONS:
            raise BadGgufError(f"it is of version {version}; {' and '.join(map(str, VERSIONS))} are known")
        reader.number("<Q")  # tensors
        entries = reader.number("<Q")
        if entries > MAX_ENTRIES:
            raise BadGgufError(f"it claims {entries} metadata entries")
        header = Header()
        markers: set[int] = set()
        for _ in range(int(entries)):
            key = reader.string().decode("utf-8", "replace")
            look = _marker_watch(markers) if key == _TOKENS else None
            header.values[key] = reader.value(int(reader.number("<I")), look)
    _fill(header, markers)
    return header


def _marker_watch(markers: set[int]) -> Callable[[bytes], None]:
    kinds = [*FIM_TEXTS, *({text} for text in FIM_PAIR)]
    wanted = {text.encode(): kind for kind, texts in enumerate(kinds) for text in texts}

    def look(token: bytes) -> None:
        if (kind := wanted.get(token)) is not None:
            markers.add(kind)

    return look


def _fill(header: Header, markers: set[int]) -> None:
    architecture = header.values.get("general.architecture")
    header.architecture = architecture if isinstance(architecture, str) else ""

    def number(key: str) -> int:
        value = header.values.get(f"{header.architecture}.{key}")
        if isinstance(value, list):  # one number a layer: the largest is the one to make room for
            value = max((item for item in value if isinstance(item, int)), default=0)
        return value if isinstance(value, int) else 0

    header.context_tokens = number("context_length")
    header.layers = number("block_count")
    heads = number("attention.head_count")
    width = number("attention.key_length") or (number("embedding_length") // heads if heads else 0)
    header.kv_width = width * (number("attention.head_count_kv") or heads)
    all_three = set(range(len(FIM_TEXTS)))
    pair = set(range(len(FIM_TEXTS), len(FIM_TEXTS) + len(FIM_PAIR)))
    header.fim = all_three <= markers or pair <= markers or all(key in header.values for key in FIM_KEYS)


class _Reader:
    """Takes values from a file whose lengths cannot be trusted."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size

    def take(self, count: int) -> bytes:
        self._require(count)
        data = self._file.read(count)
        if len(data) != count:
            raise BadGgufError("it ends in the middle of its header")
        return data

    def number(self, form: str) -> int:
        return int(struct.unpack(form, self.take(struct.calcsize(form)))[0])

    def string(self) -> bytes:
        length = self.number("<Q")
        if length > MAX_STRING:
            raise BadGgufError(f"it has a text of {length} bytes")
        return self.take(length)

    def value(self, kind: int, look: Callable[[bytes], None] | None = None, depth: int = 0) -> object:
        """A value of `kind`; of arrays of strings only the length, each being shown to `look`."""
        if kind == _STRING:
            return self.string().decode("utf-8", "replace")
        if kind == _ARRAY:
            return self._array(look, depth)
        form = _SCALARS.get(kind)
        if form is None:
            raise BadGgufError(f"it has a value of the unknown type {kind}")
        value: object = struct.unpack(form, self.take(struct.calcsize(form)))[0]
        return value

    def _array(self, look: Callable[[bytes], None] | None, depth: int) -> object:
        kind, count = self.number("<I"), self.number("<Q")
        if kind == _STRING:
            for _ in range(count):  # a false count ends at the file's end
                text = self.string()
                if look is not None:
                    look(text)
            return count
        if kind == _ARRAY:
            if depth >= MAX_DEPTH:
                raise BadGgufError("it has arrays in arrays without end")
            return [self._array(look, depth + 1) for _ in range(min(count, self._left))]
        form = _SCALARS.get(kind)
        if form is None:
            raise BadGgufError(f"it has values of the unknown type {kind}")
        width = struct.calcsize(form)
        if count > MAX_KEPT:
            self._require(width * count)
            self._file.seek(width * count, 1)
            return count
        return [struct.unpack(form, self.take(width))[0] for _ in range(count)]

    def _require(self, count: int) -> None:
        if count > self._left:
            raise BadGgufError("it ends in the middle of its header")
        self._left -= count
