"""What follows the cursor: what an editor closed and a person typed over, and what is another place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.anchor import CLOSERS
from lsp_server.cache.surroundings import NEAR_AFTER, grown_by, shrunk_by

BELOW = "\n" + "below = 1\n" * 50


@pytest.mark.parametrize(
    ("old", "rest", "typed", "by"),
    [
        ("", "", "", 0),
        ("", ")", "(", 1),
        ("", "\n}", "{", 2),
        (")", "", "a)", -1),
        ("))", ")", "a)", -1),
        (")", "", "a", None),
        (")", "]", "a)[", 0),
        ("\n}", "}", "a", None),
        ("", "x", "x", None),
        ("x", "", "x", None),
        ("", ")", "", None),
    ],
)  # fmt: skip
def test_what_follows_grows_by_what_is_closed_and_shrinks_by_what_is_typed_over(
    old: str, rest: str, typed: str, by: int | None
) -> None:
    assert grown_by(old, rest, typed) == by
    assert grown_by((old + BELOW)[:NEAR_AFTER], rest + BELOW, typed) == by


@pytest.mark.parametrize(
    ("old", "rest", "deleted", "by"),
    [
        ("", "", "a", 0),
        (")", "", "(", 1),
        (")", ")", "(", 0),
        ("])", "", "([", 2),
        ("])", ")", "[", 1),
        (")", "", "()", None),
        (")", "", "a", None),
        ("]", "", "(", None),
        ('"', "", '"', 1),
        ("", ")", "(", None),
    ],
)
def test_with_a_bracket_the_one_that_closed_it_is_deleted(old: str, rest: str, deleted: str, by: int | None) -> None:
    assert shrunk_by(old, rest, deleted) == by
    assert shrunk_by((old + BELOW)[:NEAR_AFTER], rest + BELOW, deleted) == by


def test_the_end_of_the_document_is_another_place_than_the_middle() -> None:
    assert grown_by("a", "a\n", "x") is None
    assert shrunk_by("a", "a\n", "x") is None


def is_subsequence(wanted: str, text: str) -> bool:
    return not wanted or (bool(text) and is_subsequence(wanted[text[0] == wanted[0] :], text[1:]))


RESTS = st.text(")]} \nx", max_size=6)


@given(RESTS, RESTS, st.text(")]} a", max_size=4), st.sampled_from(["", BELOW]))
def test_it_says_what_trying_every_way_says(old: str, rest: str, typed: str, below: str) -> None:
    old, rest = old + below, rest + below  # the first nine characters have all that can be closed
    ways = {
        closed - overtyped
        for overtyped in range(min(len(old), 9) + 1)
        for closed in range(min(len(rest), 9) + 1)
        if old[overtyped:] == rest[closed:]
        and all(character in CLOSERS or character.isspace() for character in old[:overtyped] + rest[:closed])
        and is_subsequence(old[:overtyped], typed)
        and (typed or not overtyped + closed)
    }
    # Its length alone tells by how much the rest grew, so all ways agree.
    assert ways <= {len(rest) - len(old)}
    assert grown_by(old[:NEAR_AFTER], rest, typed) == next(iter(ways), None)
