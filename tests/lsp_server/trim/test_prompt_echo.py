"""What belongs to the prompt is no code."""

from __future__ import annotations

import pytest
from completion_fakes import at_cursor

from lsp_server.trim.prompt_echo import without_prompt_echo
from lsp_server.trim.view import View


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [
        ("x = │", "1<|endoftext|>\ny", "1"),
        ("x = │", "1<fim_suffix>", "1"),
        ("x = │", "1<｜fim▁end｜>", "1"),
        ("x = │", "1 <EOT>", "1 "),
        ('END = "<|fim_middle|>"\nx = │', '"<|fim_pad|>"', '"<|fim_pad|>"'),
        ("│", "# a.py\nx = 1", "x = 1"),
        ("│", "# Path: a.py\nx = 1", "x = 1"),
        ("│", "# a\nx = 1", "# a\nx = 1"),
        ("x = │", "a <b> c", "a <b> c"),
        ("x = │", 're.compile(r"(?P<filename>a)")', 're.compile(r"(?P<filename>a)")'),
    ],
    ids=[
        "end of text",
        "a mark",
        "in other letters",
        "Code Llama's",
        "a file about marks",
        "the file's name",
        "its path",
        "a comment",
        "comparisons",
        "a group's name",
    ],
)
def test_the_prompt_is_not_echoed(marked: str, text: str, kept: str) -> None:
    assert without_prompt_echo(text, View(at_cursor(marked), True, "multi")) == kept
