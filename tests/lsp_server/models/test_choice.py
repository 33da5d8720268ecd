"""Which file of a repository is taken."""

from __future__ import annotations

import pytest

from lsp_server.models.choice import choose, quantisation
from lsp_server.models.errors import ModelError

FILES = ["README.md", "m.Q8_0.gguf", "m.Q4_0.gguf", "m.Q4_K_M.gguf", "m.f16.gguf"]


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("qwen2.5-coder-0.5b-q4_k_m.gguf", "Q4_K_M"),
        ("starcoder2-3b_Q4_K_M.gguf", "Q4_K_M"),
        ("sub/m.Q4_0.gguf", "Q4_0"),
        ("m.Q4_0_4_4.gguf", "Q4_0_4_4"),
        ("m-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("m.IQ4_XS.gguf", "IQ4_XS"),
        ("m-bf16.gguf", "BF16"),
        ("model.gguf", ""),
    ],
)
def test_the_kind_stands_at_the_end_of_the_name(file: str, kind: str) -> None:
    assert quantisation(file) == kind


def test_q4_k_m_comes_before_q4_0_and_both_before_others() -> None:
    assert choose(FILES, None, "o/r") == "m.Q4_K_M.gguf"
    assert choose([file for file in FILES if "K_M" not in file], None, "o/r") == "m.Q4_0.gguf"


def test_the_only_file_is_taken_whatever_its_kind() -> None:
    assert choose(["README.md", "mmproj-f16.gguf", "m.Q8_0.gguf"], None, "o/r") == "m.Q8_0.gguf"


def test_a_named_file_is_taken_from_any_folder() -> None:
    assert choose([*FILES, "sub/x.Q5_0.gguf"], "X.q5_0.gguf", "o/r") == "sub/x.Q5_0.gguf"


@pytest.mark.parametrize(
    ("files", "wanted", "words"),
    [
        (["m.Q8_0.gguf", "m.f16.gguf"], None, ["no INT4", "--file", "m.Q8_0.gguf"]),
        (["a.Q4_K_M.gguf", "b.Q4_K_M.gguf"], None, ["several Q4_K_M", "b.Q4_K_M.gguf"]),
        (["m-Q4_0-00001-of-00002.gguf", "m-Q4_0-00002-of-00002.gguf"], None, ["several parts"]),
        (["README.md"], None, ["no GGUF"]),
        (FILES, "none.gguf", ["no file none.gguf", "m.Q4_0.gguf"]),
    ],
)
def test_what_cannot_be_chosen_is_one_sentence_with_the_files(
    files: list[str], wanted: str | None, words: list[str]
) -> None:
    with pytest.raises(ModelError) as error:
        choose(files, wanted, "o/r")
    assert all(word in str(error.value) for word in words), error.value
