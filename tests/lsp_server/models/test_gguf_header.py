"""GGUF headers: read as the gguf library writes them, refused when damaged."""

from __future__ import annotations

import contextlib
import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_gguf import FIM_TOKENS, write_gguf

from gpu_worker.fim import FAMILIES
from lsp_server.models.gguf_header import FIM_PAIR, FIM_TEXTS, BadGgufError, read_header
from lsp_server.sources.local_process import model_file

BEGIN = b"GGUF" + struct.pack("<IQQ", 3, 0, 1)


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def test_what_the_gguf_library_writes_is_read(tmp_path: Path) -> None:
    write_gguf(tmp_path / "x.gguf")
    header = read_header(tmp_path / "x.gguf")
    assert (header.architecture, header.context_tokens, header.layers, header.kv_width) == ("llama", 1_024, 3, 32)
    assert header.fim


def test_the_shipped_starter_is_read_and_can_fill_in_the_middle() -> None:
    file = model_file("starter")
    assert file is not None
    header = read_header(file)
    assert header.fim
    assert header.layers > 0
    assert header.kv_width > 0


@pytest.mark.parametrize("tokens", [(), FIM_TOKENS[:2], ("<|endoftext|>",)])
def test_a_vocabulary_without_all_markers_cannot_fill_in_the_middle(tmp_path: Path, tokens: tuple[str, ...]) -> None:
    write_gguf(tmp_path / "x.gguf", tokens)
    assert not read_header(tmp_path / "x.gguf").fim


def test_codestral_fills_in_the_middle_without_a_marker_for_it(tmp_path: Path) -> None:
    write_gguf(tmp_path / "x.gguf", ("[PREFIX]", "[SUFFIX]"))
    assert read_header(tmp_path / "x.gguf").fim
    write_gguf(tmp_path / "y.gguf", ("[PREFIX]", "<fim_suffix>"))
    assert not read_header(tmp_path / "y.gguf").fim


def test_the_markers_of_every_family_that_the_worker_lays_out_are_known() -> None:
    for family in FAMILIES:
        parts = (family.prefix, family.suffix, family.middle)
        if family.middle:
            assert all(part in texts for part, texts in zip(parts, FIM_TEXTS, strict=True)), family.name
        else:
            assert parts[:2] == FIM_PAIR, family.name


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "middle of its header"),
        (b"<html>no</html>" + bytes(20), "does not begin with GGUF"),
        (b"GGUF" + struct.pack("<IQQ", 9, 0, 0), "version 9"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 2**40), "metadata entries"),
        (BEGIN, "middle of its header"),
        (BEGIN + struct.pack("<Q", 2**60), "text of"),
        (BEGIN + text("k") + struct.pack("<I", 99), "unknown type 99"),
        (BEGIN + text("k") + struct.pack("<IIQ", 9, 8, 2**60), "middle of its header"),
        (BEGIN + text("k") + struct.pack("<IIQ", 9, 4, 2**60), "middle of its header"),
        (BEGIN + text("k") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 8, "arrays in arrays"),
    ],
)
def test_a_damaged_file_is_refused_with_the_reason(tmp_path: Path, data: bytes, why: str) -> None:
    (tmp_path / "x.gguf").write_bytes(data)
    with pytest.raises(BadGgufError, match=why):
        read_header(tmp_path / "x.gguf")


@given(st.data())
def test_whatever_the_bytes_are_the_reader_reads_or_refuses(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.gguf"
        content = bytearray(write_gguf(path))
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
        with contextlib.suppress(BadGgufError):
            assert read_header(path).layers is not None
