"""Cleaned text is what a frame can carry."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wire_protocol.text import clean


@given(st.text(st.characters()))
def test_cleaned_text_encodes_and_has_one_kind_of_line_end(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.encode().decode() == cleaned
    assert "\r" not in cleaned


def test_line_ends_become_newlines_and_half_an_emoji_a_replacement() -> None:
    assert clean("a\r\nb\rc\nd\ud83d") == "a\nb\nc\nd\ufffd"


def test_what_is_clean_stays() -> None:
    assert clean("naïve 🙂\n\f\x85") == "naïve 🙂\n\f\x85"
