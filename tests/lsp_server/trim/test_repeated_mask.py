"""A mask that stands for a secret does not come back into the file."""

from __future__ import annotations

import pytest
from completion_fakes import at_cursor

from lsp_server.trim.repeated_mask import without_repeated_mask
from lsp_server.trim.view import View


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [
        ('a = "hunter22"\nb = │', '"xxxxxxxx"', ""),
        ("b = │", "connect(key='AKIAxxxxxxxxxxxxxxxx')\nprint(1)", ""),
        ('a = "xxxxxxxx"\nb = │', '"xxxxxxxx"', '"xxxxxxxx"'),
        ("x = │", "x + xx", "x + xx"),
    ],
    ids=["a mask", "a mask with its prefix", "the person's own", "names"],
)
def test_a_suggestion_with_a_mask_is_dropped(marked: str, text: str, kept: str) -> None:
    assert without_repeated_mask(text, View(at_cursor(marked), True, "multi")) == kept
