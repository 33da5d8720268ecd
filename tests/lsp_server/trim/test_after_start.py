"""A suggestion stops where the rest of the cursor's line begins in it."""

from __future__ import annotations

import pytest
from completion_fakes import at_cursor

from lsp_server.trim.after_start import without_start_of_after
from lsp_server.trim.view import View


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [
        ("x = f(│, key=str.lower)", "a, key=str.lower)  # sorted", "a"),
        ("x = │ + offset_of_b", "a + offset_of_b * 2", "a "),
        ("x = f(│)", "g(a) + h(b)", "g(a) + h(b)"),
        ("x = │", "a", "a"),
        ("f(│, key=None)", "a\n, key=None)", "a\n, key=None)"),
    ],
    ids=["amid a line", "an operator", "too little behind the cursor", "nothing behind it", "in a later line"],
)
def test_a_suggestion_stops_where_what_is_behind_the_cursor_begins(marked: str, text: str, kept: str) -> None:
    assert without_start_of_after(text, View(at_cursor(marked), True, "multi")) == kept
