"""The windows most like the cursor's surroundings, against the definition of the Jaccard index."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.workspace.blocks import NARROW, cut
from lsp_server.workspace.similar import MIN_COMMON, MIN_SCORE, Source, similar
from lsp_server.workspace.words import words

WORDS = [f"word{letter}" for letter in "abcdefghijkl"]
LINES = st.lists(st.lists(st.sampled_from(WORDS), max_size=3).map(" ".join), min_size=1, max_size=60)


def source(text: str, path: str = "a.py") -> Source:
    return Source(f"file:///w/{path}", Path("/w"), path, "python", cut(text))


def never() -> bool:
    return False


@given(LINES, st.sets(st.sampled_from(WORDS), min_size=MIN_COMMON))
def test_the_best_window_has_the_highest_jaccard_index(lines: list[str], wanted: set[str]) -> None:
    text = "\n".join(lines)
    blocks = cut(text).blocks
    best = 0.0
    for at in range(max(1, len(blocks) - NARROW + 1)):
        own = words("".join(block.text for block in blocks[at : at + NARROW]))
        if len(own & wanted) >= MIN_COMMON:
            best = max(best, len(own & wanted) / len(own | wanted))
    found = similar([source(text)], frozenset(wanted), NARROW, 3, never)
    assert [window.score for window in found[:1]] == ([best] if best >= MIN_SCORE else [])


@given(LINES)
def test_windows_do_not_overlap_and_say_which_lines_they_are(lines: list[str]) -> None:
    text = "\n".join(lines) + "\n"
    found = similar([source(text)], frozenset(WORDS), NARROW, 10, never)
    spans = sorted((window.first_line, window.last_line) for window in found)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    whole = text.split("\n")
    for window in found:
        assert window.text == "".join(f"{line}\n" for line in whole[window.first_line : window.last_line])


def test_keywords_make_nothing_alike() -> None:
    assert similar([source("for self in return: pass\n")], words("for self in return: pass"), NARROW, 1, never) == []


def test_when_time_is_over_what_was_found_is_given() -> None:
    sources = [source("alpha beta gamma\n", f"{number}.py") for number in range(3)]
    answers = iter([False, True])
    found = similar(sources, words("alpha beta gamma"), NARROW, 5, lambda: next(answers))
    assert [window.path for window in found] == ["0.py"]
