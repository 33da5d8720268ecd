"""Budgets, and which parts go in: within them, in an order that stays."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.workspace.budgets import SHARES, Kind, Limits, budget_for, head_characters
from lsp_server.workspace.choose import KINDS, choose
from lsp_server.workspace.parts import Part
from wire_protocol.frames import MAX_SNIPPETS, Snippet

LOCAL = budget_for(Limits())


def part(kind: Kind, path: str, score: float, lines: int = 5, first: int = 1) -> Part:
    text = "".join(f"line number {number} of it\n" for number in range(lines))
    return Part(kind, Snippet(path=path, text=text), first, first + lines - 1, score, "why")


PARTS = st.lists(
    st.builds(
        part,
        st.sampled_from(KINDS),
        st.sampled_from(["a.py", "b.py", "c.py"]),
        st.floats(0, 2),
        st.integers(1, 60),
        st.integers(1, 100),
    ),
    max_size=20,
)


def by_kind(parts: list[Part]) -> dict[Kind, list[Part]]:
    return {kind: [each for each in parts if each.kind == kind] for kind in KINDS}


def test_the_shares_are_a_whole() -> None:
    assert sum(SHARES.values()) == 1.0


def test_an_edge_takes_more_than_this_machine_and_a_small_context_less() -> None:
    assert budget_for(Limits("edge", 32_768)).characters > budget_for(Limits("edge")).characters > LOCAL.characters
    assert budget_for(Limits("local", 1_024)).characters < LOCAL.characters
    assert budget_for(Limits("edge", 10**9)).snippets <= MAX_SNIPPETS


@given(PARTS, st.sampled_from([Limits(), Limits("edge", 8_192)]))
def test_what_goes_in_keeps_to_the_budget_and_does_not_overlap(parts: list[Part], limits: Limits) -> None:
    budget = budget_for(limits)
    chosen = choose(by_kind(parts), budget)
    size = sum(len(each.snippet.text) + head_characters(each.snippet.path) for each in chosen)
    assert size <= budget.characters
    assert len(chosen) <= budget.snippets
    assert [each.key for each in chosen] == sorted(each.key for each in chosen)


@given(PARTS, st.randoms())
def test_the_order_of_the_candidates_does_not_matter(parts: list[Part], generator: random.Random) -> None:
    parts = list({each.key: each for each in parts}.values())
    shuffled = parts[:]
    generator.shuffle(shuffled)
    assert choose(by_kind(parts), LOCAL) == choose(by_kind(shuffled), LOCAL)


def test_a_part_stays_unless_another_is_much_better() -> None:
    old, new = part("similar", "b.py", 0.20, lines=36), part("similar", "a.py", 0.22, lines=36)
    before = choose({"similar": [old]}, LOCAL)
    assert [each.snippet.path for each in choose({"similar": [new, old]}, LOCAL, before)] == ["b.py"]
    much_better = part("similar", "a.py", 0.40, lines=36)
    assert [each.snippet.path for each in choose({"similar": [much_better, old]}, LOCAL, before)] == ["a.py"]


def test_a_score_that_changes_does_not_change_the_order() -> None:
    first = choose({"similar": [part("similar", "a.py", 0.3), part("similar", "b.py", 0.2)]}, LOCAL)
    second = choose({"similar": [part("similar", "a.py", 0.2), part("similar", "b.py", 0.3)]}, LOCAL)
    assert [each.snippet for each in first] == [each.snippet for each in second]


def test_half_a_diff_is_not_given() -> None:
    assert choose({"edits": [part("edits", "a.py", 1.0, lines=200)]}, LOCAL) == ()
