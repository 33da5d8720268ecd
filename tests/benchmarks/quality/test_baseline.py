"""Copying the most similar line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.quality import baseline
from wire_protocol.frames import Context


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("with open(path) as file:\n    pass\nwith op|\n", "en(path) as file:"),
        ("self.total = total\n    self.to|\n", "tal = total"),
        ("a = b\nc = d\na = b\n    |\n", "c = d"),
        ("nothing alike\n    quux(|\n", ""),
        ("call(one)\ncall(two)\ncall(|\nx = call(three)\n", "two)"),
        ("x = deep(1)\ny = sleep(2)\nz = creep(|\n", "2)"),
        ("z = creep(|\nx = eep(3)\n", "3)"),
        ("ret = 1\nreturn x\nr|\n", "eturn x"),
        ("a\n|a\nb\n", "b"),
        ("value |\n", ""),
        ("|", ""),
    ],
)
def test_the_rest_of_the_most_similar_line_is_copied(marked: str, expected: str) -> None:
    above, below = marked.split("|")
    anchor = above.rfind("\n") + 1
    context = Context(before=above[:anchor], typed=above[anchor:], after=below)
    assert baseline.copy(context, "single") == expected


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("def f(a):\n    return a\n\nclass C:\n    def g(a):|\n", "\n        return a"),
        ("x\n\n  one = 1\n  two = 2\n\n  |\n", "one = 1\n  two = 2"),
        ("if a:\n    b\n    c\nd\nif a:|\n", "\n    b\n    c"),
        ("if a:\n\nif b:|\n", ""),
    ],
)
def test_a_block_is_copied_with_the_indentation_it_is_put_into(marked: str, expected: str) -> None:
    above, below = marked.split("|")
    anchor = above.rfind("\n") + 1
    context = Context(before=above[:anchor], typed=above[anchor:], after=below)
    assert baseline.copy(context, "multi") == expected


@pytest.mark.parametrize(
    ("before", "typed", "expected"),
    [
        ("with open(path) as file:\n    pass\n", "with op", "en(path) as file:"),
        ("self.total = total\n", "    self.to", "tal = total"),
        ("a = b\nc = d\na = b\n", "    ", "c = d"),
        ("nothing alike\n", "    quux(", ""),
        ("", "", ""),
    ],
)
def test_the_simple_rule_copies_the_nearest_line_that_holds_what_was_typed(
    before: str, typed: str, expected: str
) -> None:
    assert baseline.copy_simply(Context(before=before, typed=typed, after="\n"), "single") == expected


def naive(above: str, below: str) -> str:
    """The definition, word by word: every place of every line, compared character by character."""
    here = "\n".join(line.lstrip() for line in above.split("\n"))
    cursor_line = here.count("\n")
    best, answer = 1, ""
    places = []
    flat_below = "\n".join(line.lstrip() for line in below.split("\n"))
    for at in range(len(here), -1, -1):
        if here.count("\n", 0, at) < cursor_line:
            places.append((here, at))
    places += [(flat_below, at) for at in range(len(flat_below) + 1) if "\n" in flat_below[:at]]
    for text, at in places:
        shared = 0
        while shared < min(at, len(here)) and text[at - shared - 1] == here[-shared - 1]:
            shared += 1
        same = text[at - shared : at]
        count = sum(character == "\n" or not character.isspace() for character in same)
        rest = text[at:].partition("\n")[0].rstrip()
        if rest and count > best:
            best, answer = count, rest
    return answer


@given(st.text(st.sampled_from("ab( \n"), max_size=40), st.text(st.sampled_from("ab( \n"), max_size=20))
def test_no_place_agrees_longer_than_the_one_that_is_copied(above: str, below: str) -> None:
    anchor = above.rfind("\n") + 1
    context = Context(before=above[:anchor], typed=above[anchor:], after=below)
    assert baseline.copy(context, "single") == naive(above, below)
