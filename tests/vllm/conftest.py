"""The real vLLM on this machine's CPU with the starter, unpacked to a folder; run by the environment that has vLLM."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

# Read by vLLM when it is imported: no model hub is asked, and a GiB of KV cache is many times what is needed.
os.environ |= {"HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1"}

import pytest
import pytest_asyncio
from safetensors.torch import load_file, save_file
from vllm_adapter import write_adapter

from gpu_worker.engines.vllm_engine import VllmEngine
from gpu_worker.engines.vllm_options import VllmOptions

REPOSITORY = Path(__file__).resolve().parents[2]
TRAIN_PYTHON = Path(os.environ.get("FORETYPE_TRAIN_PYTHON", REPOSITORY / ".venv-train" / "bin" / "python"))
"""Of the environment that can unpack the starter's GGUF file."""
DRAFT_LAYERS = 3
"""Of the starter's six: a real draft model, right often and wrong often."""
CONTEXT = 1_536
AT_ONCE = 2


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped INT4 file's very numbers as a Hugging Face folder in fp32."""
    given = os.environ.get("FORETYPE_STARTER_FOLDER")
    if given:
        return Path(given)
    folder = tmp_path_factory.mktemp("starter")
    command = [str(TRAIN_PYTHON), "-m", "training.unpack", "--out", str(folder)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"The starter cannot be unpacked ({done.stderr[-500:]}): make {TRAIN_PYTHON}", pytrace=False)
    return folder / "safetensors"


@pytest.fixture(scope="session")
def draft(starter: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter's first layers alone, as a draft model."""
    folder = tmp_path_factory.mktemp("draft") / "halfstarter"
    shutil.copytree(starter, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["num_hidden_layers"] = DRAFT_LAYERS
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    tensors = load_file(folder / "model.safetensors")
    kept = {
        name: tensor
        for name, tensor in tensors.items()
        if ".layers." not in name or int(name.split(".layers.")[1].split(".")[0]) < DRAFT_LAYERS
    }
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.fixture(scope="session")
def adapters(starter: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """LoRA adapters of the starter: `mute` changes nothing, `loud` a lot."""
    root = tmp_path_factory.mktemp("adapters")
    return {name: str(write_adapter(starter, root / name, scale)) for name, scale in (("mute", 0.0), ("loud", 1.0))}


def options(model: Path, **engine: Any) -> VllmOptions:
    """fp32, so that no two ways to compute the same differ by rounding."""
    return VllmOptions(
        model=str(model), context=CONTEXT, parallel=AT_ONCE, engine={"dtype": "float32", "seed": 0, **engine}
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine(starter: Path, adapters: dict[str, str]) -> AsyncIterator[VllmEngine]:
    """One engine for all tests that need no other: it takes a minute to start."""
    settings = options(starter)
    settings = VllmOptions(
        model=settings.model,
        context=settings.context,
        parallel=settings.parallel,
        engine=settings.engine,
        adapters=adapters,
    )
    running = VllmEngine(settings)
    await running.start()
    yield running
    await running.close()
