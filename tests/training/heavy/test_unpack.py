"""What `export` writes, `unpack` reads back."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from training import export, unpack
from training import settings as training_settings
from training import tokenizer as vocabulary
from training.model import Llama, Shape

CONFIG = training_settings.load()
TOKENIZER_PATH = CONFIG.path(CONFIG.tokenizer["file"])
ABOUT = {"name": "random", "description": "random weights", "licence": "apache-2.0"}
Q4_0_STEP = 1 / 8
"""Q4_0 keeps 4 bits of a number, of its block's greatest: what is lost is half a step, at one end a whole one."""

heads = st.integers(1, 4)


@pytest.fixture(scope="module")
def small_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Few tokens: reading those of the real one takes a second for each file."""
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    vocabulary.train(iter(["def add(a, b):\n    return a + b\n"]), 270).save(str(path))
    return path


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    kv_heads, groups, head = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.sampled_from([2, 8, 32]))
    return Shape(
        vocabulary=draw(st.integers(8, 64)),
        width=kv_heads * groups * head,
        layers=draw(st.integers(1, 3)),
        heads=kv_heads * groups,
        kv_heads=kv_heads,
        feed_forward=draw(st.integers(1, 40)),
        context=draw(st.integers(16, 4096)),
        rope_theta=draw(st.sampled_from([10_000.0, 500_000.0])),
        norm_epsilon=2.0 ** draw(st.integers(-20, -10)),
    )


def random_state(shape: Shape, seed: int) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return {name: torch.randn_like(value) for name, value in Llama(shape).state_dict().items()}


def through_gguf(
    state: dict[str, Tensor], shape: Shape, tokenizer: Path, half: bool
) -> tuple[dict[str, Tensor], Shape]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        export.write_gguf(state, shape, tokenizer, ABOUT, path, half=half)
        return unpack.unpack(path)


@settings(max_examples=12)
@given(shape=shapes(), seed=st.integers(0, 2**31), half=st.booleans())
def test_weights_and_sizes_survive_a_gguf_file(small_tokenizer: Path, shape: Shape, seed: int, half: bool) -> None:
    state = random_state(shape, seed)
    back, sizes = through_gguf(state, shape, small_tokenizer, half)
    assert sizes.norm_epsilon == pytest.approx(shape.norm_epsilon)
    assert {**vars(sizes), "norm_epsilon": 0} == {**vars(shape), "norm_epsilon": 0}
    assert back.keys() == state.keys()
    for name, tensor in state.items():
        expected = tensor.half().float() if half and tensor.ndim == 2 else tensor
        assert torch.equal(back[name], expected), name


@given(count=heads, half_head=st.integers(1, 8), columns=st.integers(1, 5))
def test_unpermuted_is_the_inverse_of_permuted(count: int, half_head: int, columns: int) -> None:
    rows = count * 2 * half_head
    weight = np.arange(rows * columns, dtype=np.float32).reshape(rows, columns)
    assert np.array_equal(unpack.unpermuted(export.permuted(weight, count), count), weight)


def test_an_int4_file_comes_back_within_a_step_of_its_blocks(tmp_path: Path) -> None:
    shape = Shape(8192, 64, 2, 2, 1, 96, 256, 10_000.0, 1e-5)
    state = random_state(shape, 5)
    export.write_gguf(state, shape, TOKENIZER_PATH, ABOUT, tmp_path / "f16.gguf", half=True)
    export.quantise(tmp_path / "f16.gguf", tmp_path / "q4_0.gguf")
    back, _ = unpack.unpack(tmp_path / "q4_0.gguf")
    for name, tensor in state.items():
        if tensor.ndim == 2:
            blocks, found = tensor.reshape(-1, 32), back[name].reshape(-1, 32)
            greatest = blocks.abs().amax(dim=1, keepdim=True)
            assert ((blocks - found).abs() <= Q4_0_STEP * greatest + 1e-3).all(), name
        else:
            assert torch.equal(back[name], tensor), name


def test_a_file_that_is_no_gguf_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"nothing of the kind, and long enough to be read")
    with pytest.raises(SystemExit, match="is not a GGUF file"):
        unpack.unpack(path)


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="No model at"):
        unpack.unpack(tmp_path / "none.gguf")
