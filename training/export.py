"""Step 5: write the trained model as Hugging Face safetensors, GGUF f16 and INT4, and install the INT4 file.

INT4 is Q4_0 with Q8_0 token embeddings (which are the output matrix too): measured, it costs less than Q4_0
throughout and the embedding of a small model is a third of it.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import gguf
import llama_cpp.llama_cpp as llama
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from training import settings
from training import tokenizer as vocabulary
from training.model import Shape

FIM_KEYS = {
    "fim_pre_token_id": vocabulary.FIM_PREFIX,
    "fim_suf_token_id": vocabulary.FIM_SUFFIX,
    "fim_mid_token_id": vocabulary.FIM_MIDDLE,
    "fim_pad_token_id": vocabulary.FIM_PAD,
    "fim_rep_token_id": vocabulary.REPOSITORY_NAME,
    "fim_sep_token_id": vocabulary.FILE_SEPARATOR,
}
LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
"""Of a layer's weights: our names (Hugging Face's) to llama.cpp's. `unpack` reads them the other way."""
HASH_CHUNK = 1 << 20


def hugging_face_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Our weights under the names that Transformers and vLLM expect of a Llama."""
    return {f"model.{name}": tensor.detach().float().contiguous() for name, tensor in state.items()}


def write_hugging_face(state: dict[str, Tensor], shape: Shape, tokenizer: Path, folder: Path) -> None:
    """config.json, model.safetensors (fp32), tokenizer.json, tokenizer_config.json, generation_config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    end = vocabulary.token_id(vocabulary.load(tokenizer), vocabulary.END)
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.width,
        "intermediate_size": shape.feed_forward,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head,
        "hidden_act": "silu",
        "max_position_embeddings": shape.context,
        "rms_norm_eps": shape.norm_epsilon,
        # Transformers 5 reads rope_parameters, everything older rope_theta.
        "rope_theta": shape.rope_theta,
        "rope_parameters": {"rope_type": "default", "rope_theta": shape.rope_theta},
        "tie_word_embeddings": True,
        "attention_bias": False,
        "mlp_bias": False,
        "bos_token_id": end,
        "eos_token_id": end,
        "torch_dtype": "float32",
    }
    save_file(hugging_face_names(state), folder / "model.safetensors", metadata={"format": "pt"})
    shutil.copyfile(tokenizer, folder / "tokenizer.json")
    tables = {
        "config.json": config,
        "generation_config.json": {"bos_token_id": end, "eos_token_id": end},
        "tokenizer_config.json": vocabulary.hugging_face_config(shape.context),
    }
    for name, table in tables.items():
        (folder / name).write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def permuted(weight: np.ndarray, heads: int) -> np.ndarray:
    """A query or key matrix in llama.cpp's order: rotary pairs side by side instead of half a head apart."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def gguf_tensors(state: dict[str, Tensor], shape: Shape) -> dict[str, np.ndarray]:
    """The weights under llama.cpp's names, fp32."""
    arrays = {name: tensor.detach().float().numpy() for name, tensor in state.items()}
    tensors = {
        "token_embd.weight": arrays["embed_tokens.weight"],
        "output_norm.weight": arrays["norm.weight"],
    }
    for layer in range(shape.layers):
        for ours, theirs in LAYER_NAMES.items():
            array = arrays[f"layers.{layer}.{ours}.weight"]
            if theirs == "attn_q":
                array = permuted(array, shape.heads)
            elif theirs == "attn_k":
                array = permuted(array, shape.kv_heads)
            tensors[f"blk.{layer}.{theirs}.weight"] = array
    return tensors


def write_gguf(
    state: dict[str, Tensor], shape: Shape, tokenizer_path: Path, about: dict[str, Any], path: Path, half: bool
) -> None:
    """One GGUF file, f16 (norms stay f32) or all f32."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name(about["name"])
    writer.add_description(about["description"])
    writer.add_license(about["licence"])
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(shape.norm_epsilon)
    writer.add_key_length(shape.head)
    writer.add_value_length(shape.head)
    writer.add_rope_freq_base(shape.rope_theta)
    writer.add_rope_dimension_count(shape.head)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16 if half else gguf.LlamaFileType.ALL_F32)
    add_vocabulary(writer, tokenizer_path)
    for name, array in gguf_tensors(state, shape).items():
        writer.add_tensor(name, array.astype(np.float16) if half and array.ndim == 2 else array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_vocabulary(writer: gguf.GGUFWriter, tokenizer_path: Path) -> None:
    """The tokenizer: tokens, their types, merges, the end token and the fill-in-the-middle tokens."""
    tokenizer = vocabulary.load(tokenizer_path)
    model = json.loads(tokenizer_path.read_text(encoding="utf-8"))["model"]
    by_id = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    special = set(vocabulary.SPECIAL)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(vocabulary.LLAMA_CPP_PRE)
    writer.add_token_list([token for token, _ in by_id])
    writer.add_token_types(
        [gguf.TokenType.CONTROL if token in special else gguf.TokenType.NORMAL for token, _ in by_id]
    )
    writer.add_token_merges([pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]])
    end = vocabulary.token_id(tokenizer, vocabulary.END)
    writer.add_bos_token_id(end)
    writer.add_eos_token_id(end)
    writer.add_pad_token_id(vocabulary.token_id(tokenizer, vocabulary.FIM_PAD))
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)
    for key, token in FIM_KEYS.items():
        writer.add_uint32(f"tokenizer.ggml.{key}", vocabulary.token_id(tokenizer, token))


def quantise(source: Path, target: Path) -> None:
    """Q4_0 with Q8_0 embeddings, by llama.cpp itself.

    Raises:
        SystemExit: llama.cpp refused; it has said why on stderr.
    """
    options = llama.llama_model_quantize_default_params()
    options.nthread = 2
    options.ftype = llama.LLAMA_FTYPE_MOSTLY_Q4_0
    options.token_embedding_type = llama.GGML_TYPE_Q8_0
    options.output_tensor_type = llama.GGML_TYPE_Q8_0
    if llama.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(options)):
        raise SystemExit(f"llama.cpp could not quantise {source}: see its message above.")


def sha256(path: Path) -> str:
    """A file's SHA-256, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(HASH_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def load_state(checkpoint: Path) -> tuple[dict[str, Tensor], int]:
    """A checkpoint's weights and its step.

    Raises:
        SystemExit: there is no checkpoint.
    """
    if not checkpoint.exists():
        raise SystemExit(f"No checkpoint at {checkpoint}: run `python -m training.train` first.")
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    return state["model"], state["step"]


def describe(config: settings.Settings, shape: Shape, steps: int, numbers: int, installed: Path) -> dict[str, Any]:
    """What goes beside the installed file: enough to know what it is without opening it."""
    manifest = json.loads(config.path(config.corpus["manifest"]).read_text(encoding="utf-8"))
    return {
        "name": config.train["name"],
        "file": installed.name,
        "sha256": sha256(installed),
        "bytes": installed.stat().st_size,
        "architecture": "llama",
        "parameters": numbers,
        "vocabulary": shape.vocabulary,
        "context_tokens": shape.context,
        "quantisation": "Q4_0, token embeddings Q8_0",
        "layout": config.export["layout"],
        "licence": config.export["licence"],
        "languages": sorted(manifest["languages"]),
        "training_data": {
            "packages": len(manifest["train"]),
            "files": manifest["files"],
            "bytes": manifest["bytes"],
            "licences": sorted({row["licence"] for row in manifest["train"]}),
            "held_out": [row["package"] for row in manifest["held_out"]],
        },
        "training": {
            "steps": steps,
            "tokens": steps * config.train["batch_tokens"],
            "seed": config.seed,
            "began_from_sha256": config.train["init_sha256"] if config.train["init_from"] else None,
        },
    }


def main() -> None:
    """Export the last checkpoint; install the INT4 file where the worker looks for `--model starter`."""
    parser: argparse.ArgumentParser = settings.arguments("Export the trained model and install the INT4 file.")
    parser.add_argument("--checkpoint", type=Path, help="default: OUTPUT/run/NAME/checkpoint.pt")
    parser.add_argument("--install", type=Path, help="folder of the shipped file (default: from the configuration)")
    options = parser.parse_args()
    config = settings.load(options.config)
    checkpoint: Path = options.checkpoint or config.output / "run" / config.train["name"] / "checkpoint.pt"
    state, steps = load_state(checkpoint)
    tokenizer_path = config.path(config.tokenizer["file"])
    shape = Shape.of(config.train, state["embed_tokens.weight"].shape[0])
    numbers = sum(tensor.numel() for tensor in state.values())
    folder = config.output / "export" / config.train["name"]
    write_hugging_face(state, shape, tokenizer_path, folder / "safetensors")
    about = {**config.export, "name": f"Foretype {config.train['name']}"}
    half, small = folder / f"{config.train['name']}-f16.gguf", folder / f"{config.train['name']}-q4_0.gguf"
    write_gguf(state, shape, tokenizer_path, about, half, half=True)
    write_gguf(state, shape, tokenizer_path, about, folder / f"{config.train['name']}-f32.gguf", half=False)
    quantise(half, small)
    target = (options.install or config.path(config.export["install"])) / small.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(small, target)
    card = describe(config, shape, steps, numbers, target)
    target.with_name(f"{config.train['name']}.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    curve = checkpoint.with_name("curve.csv")
    if options.install is None and curve.exists():
        shutil.copyfile(curve, config.path(config.export["curve"]))
    print(f"{target}: {numbers / 1e6:.2f} M parameters, {card['bytes'] / 1e6:.1f} MB, step {steps}")


if __name__ == "__main__":
    main()
