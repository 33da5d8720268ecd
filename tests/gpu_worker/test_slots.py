"""Which sequence serves a prompt."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gpu_worker.engines.slots import COPY_GAIN_TOKENS, Choice, Slot, choose, common_prefix

TOKENS = st.lists(st.integers(0, 2), max_size=12)


@st.composite
def slot_lists(draw: st.DrawFn) -> list[Slot]:
    return [
        Slot(
            index,
            tokens=draw(TOKENS),
            doc=draw(st.sampled_from("xy")),
            salt=draw(st.sampled_from("st")),
            busy=draw(st.booleans()),
            last_used=draw(st.integers(0, 9)),
        )
        for index in range(draw(st.integers(1, 5)))
    ]


@given(TOKENS, TOKENS)
def test_common_prefix_is_the_naive_one(left: list[int], right: list[int]) -> None:
    naive = 0
    while naive < min(len(left), len(right)) and left[naive] == right[naive]:
        naive += 1
    assert common_prefix(left, right) == naive


@given(slot_lists(), TOKENS.filter(bool), st.sampled_from("xy"), st.sampled_from("st"))
def test_a_choice_is_idle_and_reuses_a_true_prefix_of_the_same_tenant(
    slots: list[Slot], prompt: list[int], doc: str, salt: str
) -> None:
    choice = choose(slots, prompt, doc, salt)
    if choice is None:
        assert all(slot.busy for slot in slots)
        return
    assert not slots[choice.index].busy
    held = slots[choice.index if choice.copy_from is None else choice.copy_from]
    assert choice.reuse <= len(prompt) - 1
    assert held.tokens[: choice.reuse] == prompt[: choice.reuse]
    assert choice.reuse == 0 or held.salt == salt


def test_the_longest_prefix_of_the_same_document_is_reused() -> None:
    slots = [Slot(0, [1, 2, 3], "x"), Slot(1, [1, 2, 3, 4, 5], "x"), Slot(2, [1], "y")]
    assert choose(slots, [1, 2, 3, 4, 9, 9], "x", "") == Choice(1, 4)


def test_the_last_token_is_always_evaluated_again() -> None:
    assert choose([Slot(0, [1, 2, 3], "x")], [1, 2, 3], "x", "") == Choice(0, 2)


def test_a_new_document_does_not_take_the_cache_of_an_open_one() -> None:
    slots = [Slot(0, [1, 2, 3, 4, 5, 6], "x", last_used=1), Slot(1, last_used=2)]
    assert choose(slots, [1, 9, 9], "y", "") == Choice(1, 0)


def test_the_least_recently_used_document_gives_way() -> None:
    slots = [Slot(0, [1, 2], "x", last_used=5), Slot(1, [3, 4], "y", last_used=2)]
    assert choose(slots, [7, 8], "z", "") == Choice(1, 0)


def test_another_tenants_tokens_are_never_reused() -> None:
    assert choose([Slot(0, [1, 2, 3], "x", salt="theirs")], [1, 2, 3, 4], "x", "ours") == Choice(0, 0)


def test_a_busy_sequence_of_the_document_is_copied_rather_than_evaluated_again() -> None:
    tokens = list(range(COPY_GAIN_TOKENS + 10))
    slots = [Slot(0, tokens, "x", busy=True), Slot(1)]
    assert choose(slots, [*tokens, 999], "x", "") == Choice(1, len(tokens), copy_from=0)


def test_a_short_prefix_is_not_worth_a_copy() -> None:
    slots = [Slot(0, [1, 2, 3], "x", busy=True), Slot(1)]
    assert choose(slots, [1, 2, 3, 4], "x", "") == Choice(1, 0)
