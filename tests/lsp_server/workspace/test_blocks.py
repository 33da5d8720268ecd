"""Blocks of a file: what an edit does not touch stays what it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.workspace.blocks import MAX_BLOCK_LINES, NARROW, WIDE, Blocks, cut, recut, windows

LINES = st.lists(st.sampled_from(["alpha beta", "gamma(delta)", "", "    return epsilon", "zeta"]), max_size=80)
TEXTS = st.builds(lambda lines, end: "\n".join(lines) + end, LINES, st.sampled_from(["", "\n"]))


def text_of(blocks: Blocks) -> str:
    return "".join(block.text for block in blocks.blocks)


def sizes_of(blocks: Blocks, width: int) -> tuple[int, ...]:
    sets = [block.words for block in blocks.blocks]
    return tuple(len(frozenset().union(*sets[at : at + width])) for at in range(windows(len(blocks.blocks), width)))


@given(TEXTS)
def test_the_blocks_are_the_text(text: str) -> None:
    assert text_of(cut(text)) == text


@given(st.lists(TEXTS, min_size=2, max_size=5))
def test_after_any_edits_text_and_sizes_are_as_if_cut_anew(texts: list[str]) -> None:
    blocks = cut(texts[0])
    for text in texts[1:]:
        blocks = recut(blocks, text)
        assert text_of(blocks) == text
        assert all(block.lines <= MAX_BLOCK_LINES for block in blocks.blocks)
        assert all(blocks.sizes[width] == sizes_of(blocks, width) for width in (NARROW, WIDE))


def test_an_inserted_line_changes_one_block_wherever_the_others_move_to() -> None:
    lines = [f"name_{number}" for number in range(200)]
    old = cut("\n".join(lines) + "\n")
    new = recut(old, "\n".join([*lines[:95], "inserted", *lines[95:]]) + "\n")
    assert len(set(map(id, new.blocks)) - set(map(id, old.blocks))) == 1


def test_an_unchanged_text_is_the_same_object() -> None:
    blocks = cut("one\ntwo\n")
    assert recut(blocks, "one\ntwo\n") is blocks
