"""Where keys begin: the same for the same place, whatever the window and the anchor."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.cache.blocks import BLOCK, NEAR_BEFORE, WINDOWED, blocks, key_of

LINES = "".join(f"value_{number} = {number}\n" for number in range(200))


def test_a_text_is_looked_for_under_its_line_and_those_before_as_far_as_asked() -> None:
    text = LINES + "x"
    found = list(blocks(text, len(text), len(text) - 40))
    assert [text[start:].partition("\n")[0] for start in found] == [
        "x",
        "value_199 = 199",
        "value_198 = 198",
        "value_197 = 197",
    ]


def test_the_start_of_a_document_is_one_block() -> None:
    assert list(blocks("a = 1\nb = 2\nc", 12, 0)) == [0]


def test_a_long_line_is_divided() -> None:
    text = LINES + "x" * (2 * BLOCK + 10)
    assert list(blocks(text, len(LINES), len(text) - 260)) == [len(LINES) + 2 * BLOCK, len(LINES) + BLOCK]


def test_a_line_that_begins_before_the_window_is_divided_from_the_anchor() -> None:
    line = "abcdefghij" * 1_000
    early, late = line[:6_000], line[700:6_000]
    anchor = 5_888  # a multiple of BLOCK from where the line begins
    keys = [
        [key_of(text, start, "js") for start in blocks(text, at, len(text) - 512)]
        for text, at in ((early, anchor), (late, anchor - 700))
    ]
    assert keys[0] == keys[1]


def test_the_start_of_a_document_is_not_taken_for_the_middle_of_another() -> None:
    text = LINES[: LINES.index("\n", 300) + 1]
    start = next(blocks(text, len(text), len(text)))
    assert start >= NEAR_BEFORE
    assert key_of(text, start, "js") != key_of(text[start - NEAR_BEFORE :], 0, "js")


@given(st.integers(0, 900), st.text("ab \n", max_size=300), st.integers(0, 100))
def test_keys_depend_on_neither_window_nor_anchor(cut: int, more: str, back: int) -> None:
    text = LINES + more
    window = text[cut:]
    assert len(window) >= WINDOWED or cut == 0
    earliest = len(more) + back

    def keys(text: str, anchor: int) -> list[str]:
        return [key_of(text, start, "js") for start in blocks(text, anchor, len(text) - earliest)]

    assert keys(text, len(LINES)) == keys(window, len(window))


@given(st.text("ab\n", max_size=900), st.integers(0, 600))
def test_some_block_holds_every_place_that_is_looked_back_to(more: str, back: int) -> None:
    text = LINES + more
    earliest = len(text) - back
    found = list(blocks(text, len(LINES), earliest))
    assert found == sorted(found, reverse=True)
    place = next(blocks(text[:earliest], len(LINES), earliest))
    assert found[-1] == place
