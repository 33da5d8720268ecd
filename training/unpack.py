"""The inverse of `export`: a GGUF file that `export` wrote, INT4 or not, back to weights under Hugging Face's names.

The repository ships only the INT4 file. Unpacked, its very numbers can be loaded by every engine in fp32:

    python -m training.unpack --out FOLDER

writes FOLDER/safetensors (fp32, for Transformers and vLLM) and f32 and f16 GGUF files. What INT4 lost stays lost.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from torch import Tensor

from training import export, settings
from training.model import Shape


def unpermuted(weight: np.ndarray, heads: int) -> np.ndarray:
    """A query or key matrix in Hugging Face's order again: the inverse of `export.permuted`."""
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def shape_of(reader: gguf.GGUFReader) -> Shape:
    """The sizes that the file's metadata states."""

    def value(key: str) -> Any:
        return reader.fields[f"llama.{key}"].contents()

    return Shape(
        vocabulary=value("vocab_size"),
        width=value("embedding_length"),
        layers=value("block_count"),
        heads=value("attention.head_count"),
        kv_heads=value("attention.head_count_kv"),
        feed_forward=value("feed_forward_length"),
        context=value("context_length"),
        rope_theta=value("rope.freq_base"),
        norm_epsilon=value("attention.layer_norm_rms_epsilon"),
    )


def unpack(path: Path) -> tuple[dict[str, Tensor], Shape]:
    """The weights in fp32, named as `training.model` names them, and the sizes.

    Raises:
        SystemExit: there is no such file, or `export` did not write it.
    """
    if not path.exists():
        raise SystemExit(f"No model at {path}: give a GGUF file with --gguf.")
    try:
        reader = gguf.GGUFReader(path)
        shape = shape_of(reader)
    except (ValueError, KeyError) as error:
        raise SystemExit(f"{path} is not a GGUF file that training.export wrote ({error}).") from None
    arrays = {
        tensor.name.removesuffix(".weight"): gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        for tensor in reader.tensors
    }
    try:
        state = {"embed_tokens.weight": arrays.pop("token_embd"), "norm.weight": arrays.pop("output_norm")}
        for layer in range(shape.layers):
            for ours, theirs in export.LAYER_NAMES.items():
                array = arrays.pop(f"blk.{layer}.{theirs}")
                if theirs == "attn_q":
                    array = unpermuted(array, shape.heads)
                elif theirs == "attn_k":
                    array = unpermuted(array, shape.kv_heads)
                state[f"layers.{layer}.{ours}.weight"] = array
    except KeyError as error:
        raise SystemExit(f"{path} lacks the tensor {error}: training.export did not write it.") from None
    if arrays:
        raise SystemExit(f"{path} has tensors that training.export does not write: {', '.join(sorted(arrays))}.")
    return {name: torch.from_numpy(np.array(array, dtype=np.float32)) for name, array in state.items()}, shape


def write(path: Path, tokenizer: Path, folder: Path) -> None:
    """Unpack `path` into `safetensors`, `f32.gguf` and `f16.gguf` of a folder. Raises SystemExit as `unpack` does."""
    state, shape = unpack(path)
    about = {
        "name": f"{path.stem}, unpacked",
        "description": f"The numbers of {path.name} in wider types",
        "licence": "apache-2.0",
    }
    export.write_hugging_face(state, shape, tokenizer, folder / "safetensors")
    for name, half in (("f32", False), ("f16", True)):
        export.write_gguf(state, shape, tokenizer, about, folder / f"{name}.gguf", half=half)


def main() -> None:
    """Unpack the installed model, or any that `export` wrote."""
    parser = settings.arguments("Unpack a GGUF file into fp32 safetensors and f32 and f16 GGUF files.")
    parser.add_argument("--gguf", type=Path, help="default: the installed INT4 file")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where to write")
    options: argparse.Namespace = parser.parse_args()
    config = settings.load(options.config)
    installed = config.path(config.export["install"]) / f"{config.train['name']}-q4_0.gguf"
    write(options.gguf or installed, config.path(config.tokenizer["file"]), options.out)
    print(f"{options.out}: safetensors, f32.gguf, f16.gguf")


if __name__ == "__main__":
    main()
