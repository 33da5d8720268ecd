"""One character is not worth looking at."""

from __future__ import annotations

import pytest
from completion_fakes import at_cursor

from lsp_server.trim import trim
from lsp_server.trim.too_short import without_too_short
from lsp_server.trim.view import View


@pytest.mark.parametrize(
    ("text", "fresh", "kept"),
    [(")", True, ""), (" 1\n", True, ""), ("ab", True, "ab"), (")", False, ")")],
    ids=["a bracket", "with white space", "two", "what is left of a longer one"],
)
def test_one_character_is_shown_only_as_the_rest_of_a_longer_text(text: str, fresh: bool, kept: str) -> None:
    assert without_too_short(text, View(at_cursor("x = │"), True, "single", fresh)) == kept


def test_the_chain_takes_its_word_that_a_text_is_fresh() -> None:
    assert trim(at_cursor("x = │"), "1", True, "single", fresh=True) is None
    assert trim(at_cursor("x = │"), "1", True, "single") == "1"
