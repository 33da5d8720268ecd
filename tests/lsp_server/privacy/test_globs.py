"""Ignore patterns of strangers: bounded time, and what is made simpler withholds at least as much."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from lsp_server.privacy.globs import MAX_PATH, bounded, matches

LONGEST_S = 2.0
"""Hundreds of times what the patterns take; without the bounds the first of them takes longer than the universe has."""


@pytest.mark.parametrize("pattern", ["*a" * 30 + "b", "**/a/" * 30 + "b", "*?" * 40, "[a-z]*" * 40 + "!"])
def test_a_pattern_of_many_stars_takes_no_time(pattern: str) -> None:
    started = time.process_time()
    matches([pattern] * 10, "/".join(["a" * 100] * 9))
    assert time.process_time() - started < LONGEST_S


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a*b*c*d.py", "xaxbxcxd.py"),
        ("/src/*a*b*c*d*/", "src/aabbccdd/e.py"),
        ("**/a/**/b/**/c/**/d", "x/a/y/b/c/z/d"),
    ],
)
def test_a_pattern_made_simpler_still_withholds_what_it_was_meant_to(pattern: str, path: str) -> None:
    assert GitIgnoreSpec.from_lines([pattern]).match_file(path)
    assert matches([pattern], path)


def test_an_exception_that_would_grow_is_left_out() -> None:
    assert bounded(["*", "!*a*b*c*d"]) == ["*"]
    assert matches(["*", "!*a*b*c*d"], "xaxbxcxd")


def test_ordinary_patterns_stay_as_they_are() -> None:
    patterns = ["*.py", "!keep.py", "/build/", "docs/**/*.md", "*.min.*", "**/a/**"]
    assert bounded(patterns) == patterns


def test_a_path_too_long_for_patterns_is_withheld() -> None:
    assert matches(["nothing-like-it"], "a/" * MAX_PATH)
    assert matches(["nothing-like-it"], "a" * 200)


@given(
    st.lists(st.text(alphabet="ab*?/![].", max_size=12), max_size=6), st.text(alphabet="ab./", min_size=1, max_size=12)
)
def test_no_pattern_is_a_fault(patterns: list[str], path: str) -> None:
    assert matches(patterns, path) in (True, False)
