"""A LoRA adapter of a Hugging Face model, made of random numbers; for tests in vLLM's environment."""

from __future__ import annotations

import json
from pathlib import Path

RANK = 8


def write_adapter(model: Path, folder: Path, scale: float) -> Path:
    """An adapter of the query and output projections; `scale` 0 changes nothing."""
    import torch
    from safetensors.torch import load_file, save_file

    targets = ("q_proj", "o_proj")
    generator = torch.Generator().manual_seed(5)
    tensors = {}
    for name, weight in load_file(model / "model.safetensors").items():
        module = name.removesuffix(".weight")
        if module.endswith(targets):
            rows, columns = weight.shape
            prefix = f"base_model.model.{module}"
            tensors[f"{prefix}.lora_A.weight"] = torch.randn(RANK, columns, generator=generator) / columns**0.5
            tensors[f"{prefix}.lora_B.weight"] = torch.randn(rows, RANK, generator=generator) * scale
    folder.mkdir(parents=True)
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": RANK, "lora_alpha": RANK, "target_modules": list(targets), "bias": "none"}
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder
